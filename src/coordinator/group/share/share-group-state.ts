/**
 * For which partitions a share group has state with the share coordinator: what the record of type
 * 15 says, and how it changes. A partition can be assigned to members only once its state is set
 * up, so that its leader finds something to read.
 *
 * ```
 * a member subscribes ─► initializing ─► (share coordinator) ─► initialized ─► may be assigned
 * offsets are deleted ─► deleting ─────► (share coordinator) ─► gone
 * ```
 */
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import { ShareGroupStatePartitionMetadataRecord } from '../group-records.ts'
import type { TopicImage } from '../topic-image.ts'
import {
  NO_STATE_PARTITIONS,
  type ShareGroup,
  type StatePartitions,
  type TopicState,
} from './share-group.ts'

/** Partitions whose state the share coordinator is to set up. */
export interface StateToInitialize {
  readonly groupId: string
  readonly stateEpoch: number
  readonly partitions: readonly PartitionToInitialize[]
}

export interface PartitionToInitialize {
  readonly topicId: string
  readonly partition: number
  /** -1: the group begins where `share.auto.offset.reset` says. */
  readonly startOffset: number
}

type Topics = ReadonlyMap<string, TopicState>

/** The subscribed partitions for whose state nobody has asked yet, or not with success. */
export function partitionsToInitialize(
  group: ShareGroup,
  topicNames: Iterable<string>,
  topics: TopicImage,
  options: { readonly nowMs: number; readonly retryIntervalMs: number },
): Map<string, TopicState> {
  const wanted = new Map<string, TopicState>()
  const { initialized, initializing } = group.statePartitions
  for (const topicName of topicNames) {
    const topicId = topics.topicId(topicName)
    if (topicId === undefined) continue
    const since = group.initializingSinceMs.get(topicId) ?? Number.NEGATIVE_INFINITY
    const isUnderWay = options.nowMs - since < options.retryIntervalMs
    const known = [initialized.get(topicId), isUnderWay ? initializing.get(topicId) : undefined]
    const missing = new Set<number>()
    for (let partition = 0; partition < (topics.partitionCount(topicName) ?? 0); partition++) {
      if (!known.some((state) => state?.partitions.has(partition))) missing.add(partition)
    }
    if (missing.size > 0) wanted.set(topicId, { topicName, partitions: missing })
  }
  return wanted
}

/** The record that says for which partitions there is state; a tombstone for none at all. */
export function statePartitionsRecord(groupId: string, state: StatePartitions): CoordinatorRecord {
  const list = (topics: Topics) =>
    [...topics].map(([topicId, { topicName, partitions }]) => ({
      ...{ topicId, topicName },
      partitions: [...partitions].sort((a, b) => a - b),
    }))
  return ShareGroupStatePartitionMetadataRecord.of(
    { groupId },
    {
      initializingTopics: list(state.initializing),
      initializedTopics: list(state.initialized),
      deletingTopics: [...state.deleting].map(([topicId, topicName]) => ({ topicId, topicName })),
    },
  )
}

export function readStatePartitions(
  value: Parameters<typeof ShareGroupStatePartitionMetadataRecord.of>[1],
): StatePartitions {
  if (value === null) return NO_STATE_PARTITIONS
  const map = (topics: typeof value.initializedTopics) =>
    new Map(
      topics.map(({ topicId, topicName, partitions }) => [
        topicId,
        { topicName, partitions: new Set(partitions) },
      ]),
    )
  return {
    initializing: map(value.initializingTopics),
    initialized: map(value.initializedTopics),
    deleting: new Map(value.deletingTopics.map(({ topicId, topicName }) => [topicId, topicName])),
  }
}

/** `state` with more partitions being initialised. */
export function withInitializing(state: StatePartitions, topics: Topics): StatePartitions {
  const deleting = new Map(state.deleting)
  for (const topicId of topics.keys()) deleting.delete(topicId)
  return { ...state, initializing: union(state.initializing, topics), deleting }
}

/** `state` once the share coordinator has set up those partitions. */
export function withInitialized(state: StatePartitions, topics: Topics): StatePartitions {
  return {
    ...state,
    initializing: difference(state.initializing, topics),
    initialized: union(state.initialized, topics),
  }
}

/** `state` once the share coordinator has failed to. */
export function withoutInitializing(state: StatePartitions, topics: Topics): StatePartitions {
  return { ...state, initializing: difference(state.initializing, topics) }
}

/** `state` while that of the topics is being deleted. */
export function withDeleting(
  state: StatePartitions,
  names: ReadonlyMap<string, string>,
): StatePartitions {
  const rest = withoutTopics(state, new Set(names.keys()))
  return { ...rest, deleting: new Map([...state.deleting, ...names]) }
}

/** `state` without the topics. */
export function withoutTopics(
  state: StatePartitions,
  topicIds: ReadonlySet<string>,
): StatePartitions {
  const isKept = ([topicId]: readonly [string, unknown]) => !topicIds.has(topicId)
  return {
    initializing: new Map([...state.initializing].filter(isKept)),
    initialized: new Map([...state.initialized].filter(isKept)),
    deleting: new Map([...state.deleting].filter(isKept)),
  }
}

/** The partitions of both. */
export function union(a: Topics, b: Topics): Topics {
  const result = new Map(a)
  for (const [topicId, { topicName, partitions }] of b) {
    const known = a.get(topicId)?.partitions ?? new Set()
    result.set(topicId, { topicName, partitions: partitions.union(known) })
  }
  return result
}

function difference(a: Topics, b: Topics): Topics {
  const result = new Map<string, TopicState>()
  for (const [topicId, { topicName, partitions }] of a) {
    const left = partitions.difference(b.get(topicId)?.partitions ?? new Set())
    if (left.size > 0) result.set(topicId, { topicName, partitions: left })
  }
  return result
}
