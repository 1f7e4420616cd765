/**
 * How far share groups have got in the partitions that one partition of `__share_group_state` looks
 * after (KIP-932). The leader of a partition writes here what members acknowledge, and reads it
 * when it takes over.
 *
 * The state of one share partition is a snapshot and the updates since; after so many updates the
 * next write is a snapshot again, so that what came before may go. Two epochs keep out writers
 * whose time is over: the leader epoch rises when another broker leads the partition and reads the
 * state, the state epoch when the group's offsets are set anew.
 */
import { KafkaError } from '../../common/errors.ts'
import type { CoordinatorRecord } from '../runtime/coordinator-record.ts'
import type { CoordinatorResult, CoordinatorShard } from '../runtime/coordinator-shard.ts'
import { combineStateBatches } from './combine-state-batches.ts'
import type { StateBatch } from './record-state.ts'
import { ShareSnapshotRecord, ShareUpdateRecord } from './share-records.ts'

export interface SharePartitionId {
  readonly groupId: string
  readonly topicId: string
  readonly partition: number
}

export interface SharePartitionState {
  readonly snapshotEpoch: number
  readonly stateEpoch: number
  readonly leaderEpoch: number
  /** -1: the group has not begun with this partition. */
  readonly startOffset: number
  /** How many offsets from the start on are done with; -1: unknown. */
  readonly deliveryCompleteCount: number
  readonly stateBatches: readonly StateBatch[]
  /** In milliseconds since the epoch, as is the next. */
  readonly createTimestamp: number
  readonly writeTimestamp: number
}

/** A leader's write: what has changed. Epochs of -1 are not checked. */
export interface SharePartitionWrite {
  readonly stateEpoch: number
  readonly leaderEpoch: number
  /** -1: as before. */
  readonly startOffset: number
  readonly deliveryCompleteCount: number
  readonly stateBatches: readonly StateBatch[]
}

export interface ShareCoordinatorShardOptions {
  /** `share.coordinator.snapshot.update.records.per.snapshot`, as of now. */
  readonly updatesPerSnapshot: () => number
  /** How many partitions a topic has; undefined where there is no such topic. */
  readonly partitionCount: (topicId: string) => number | undefined
  readonly now: () => number
}

interface Entry {
  state: SharePartitionState
  updatesSinceSnapshot: number
  /** Of the last snapshot's record. */
  snapshotOffset: number
}

export class ShareCoordinatorShard implements CoordinatorShard {
  readonly #options: ShareCoordinatorShardOptions
  readonly #entries = new Map<string, Entry>()
  readonly #ids = new Map<string, SharePartitionId>()
  #nextOffset = 0

  constructor(options: ShareCoordinatorShardOptions) {
    this.#options = options
  }

  /** Begins a share partition, or sets it to `startOffset` in a new state epoch. */
  initialize(
    id: SharePartitionId,
    { stateEpoch, startOffset }: { stateEpoch: number; startOffset: number },
  ): CoordinatorResult<void> {
    const known = this.#entries.get(keyOf(id))?.state
    if (known !== undefined) checkStateEpoch(known, stateEpoch)
    this.#checkExists(id)
    const now = this.#options.now()
    const snapshot = ShareSnapshotRecord.of(id, {
      snapshotEpoch: known === undefined ? 0 : known.snapshotEpoch + 1,
      ...{ stateEpoch, leaderEpoch: 0, startOffset },
      deliveryCompleteCount: startOffset === -1 ? -1 : 0,
      ...{ createTimestamp: now, writeTimestamp: now, stateBatches: [] },
    })
    return { records: [snapshot], response: undefined }
  }

  /**
   * Takes down a leader's changes. Throws INVALID_REQUEST (never initialised),
   * FENCED_LEADER_EPOCH, FENCED_STATE_EPOCH, UNKNOWN_TOPIC_OR_PARTITION.
   */
  write(id: SharePartitionId, write: SharePartitionWrite): CoordinatorResult<void> {
    const entry = this.#require(id, 'Write')
    checkLeaderEpoch(entry.state, write.leaderEpoch)
    checkStateEpoch(entry.state, write.stateEpoch)
    this.#checkExists(id)
    const { leaderEpoch } = entry.state
    return { records: [this.#recordOf(id, entry, { ...write, leaderEpoch })], response: undefined }
  }

  /**
   * The state, for a leader that takes over; its epoch keeps earlier leaders out from now on.
   * Throws INVALID_REQUEST (never initialised), FENCED_LEADER_EPOCH, UNKNOWN_TOPIC_OR_PARTITION.
   */
  read(id: SharePartitionId, leaderEpoch: number): CoordinatorResult<SharePartitionState> {
    const entry = this.#require(id, 'Read')
    const { state } = entry
    checkLeaderEpoch(state, leaderEpoch)
    this.#checkExists(id)
    if (leaderEpoch === -1 || leaderEpoch === state.leaderEpoch) {
      return { records: [], response: state }
    }
    const change = { ...state, leaderEpoch, stateBatches: [] }
    return { records: [this.#recordOf(id, entry, change)], response: state }
  }

  /** The state for those who only look; undefined where there is none. */
  summary(id: SharePartitionId): SharePartitionState | undefined {
    this.#checkExists(id)
    return this.#entries.get(keyOf(id))?.state
  }

  delete(id: SharePartitionId): CoordinatorResult<void> {
    this.#checkExists(id)
    const records = this.#entries.has(keyOf(id)) ? [ShareSnapshotRecord.of(id, null)] : []
    return { records, response: undefined }
  }

  /** Forgets what groups have done with topics that are gone. */
  forgetDeletedTopics(): CoordinatorResult<void> {
    const isGone = ({ topicId }: SharePartitionId) =>
      this.#options.partitionCount(topicId) === undefined
    const gone = [...this.#ids.values()].filter(isGone)
    return { records: gone.map((id) => ShareSnapshotRecord.of(id, null)), response: undefined }
  }

  /**
   * Takes a snapshot of what has not been written for `intervalMs`: its old one would otherwise
   * keep everything since from being pruned.
   */
  snapshotCold(intervalMs: number): CoordinatorResult<void> {
    const now = this.#options.now()
    const records: CoordinatorRecord[] = []
    // Where the log is nothing but one snapshot of each, there is nothing to prune.
    const isShortest = this.#nextOffset - this.redundantBefore <= this.#entries.size
    for (const [key, { state }] of isShortest ? [] : this.#entries) {
      if (now - state.writeTimestamp < intervalMs) continue
      const snapshotEpoch = state.snapshotEpoch + 1
      const snapshot = { ...state, snapshotEpoch, writeTimestamp: now }
      records.push(ShareSnapshotRecord.of(this.#ids.get(key)!, snapshot))
    }
    return { records, response: undefined }
  }

  /** Everything in the log below it is superseded. */
  get redundantBefore(): number {
    let before = this.#nextOffset
    for (const { snapshotOffset } of this.#entries.values()) {
      before = Math.min(before, snapshotOffset)
    }
    return before
  }

  replay(record: CoordinatorRecord, offset: number): void {
    this.#nextOffset = offset + 1
    if (ShareSnapshotRecord.is(record)) {
      const { groupId, topicId, partition } = record.key
      const id = { groupId, topicId, partition }
      const key = keyOf(id)
      this.#entries.delete(key)
      this.#ids.delete(key)
      if (record.value === null) return
      this.#ids.set(key, id)
      this.#entries.set(key, {
        state: record.value,
        updatesSinceSnapshot: 0,
        snapshotOffset: offset,
      })
    } else if (ShareUpdateRecord.is(record) && record.value !== null) {
      const entry = this.#entries.get(keyOf(record.key))
      // An update alone is what pruning has left of a share partition that was deleted.
      if (entry === undefined) return
      entry.state = updated(entry.state, record.value)
      entry.updatesSinceSnapshot += 1
    }
  }

  replayEndOfTransaction(): void {}

  onLoaded(): void {}

  onUnloaded(): void {}

  #recordOf(id: SharePartitionId, entry: Entry, change: SharePartitionWrite): CoordinatorRecord {
    const { snapshotEpoch } = entry.state
    const { leaderEpoch, deliveryCompleteCount } = change
    if (entry.updatesSinceSnapshot < this.#options.updatesPerSnapshot()) {
      const { startOffset } = change
      const stateBatches = combineStateBatches([], change.stateBatches, startOffset)
      return ShareUpdateRecord.of(id, {
        ...{ snapshotEpoch, leaderEpoch, startOffset, deliveryCompleteCount, stateBatches },
      })
    }
    const now = this.#options.now()
    return ShareSnapshotRecord.of(id, {
      ...updated(entry.state, change),
      snapshotEpoch: snapshotEpoch + 1,
      ...{ createTimestamp: now, writeTimestamp: now },
    })
  }

  #require(id: SharePartitionId, operation: string): Entry {
    const entry = this.#entries.get(keyOf(id))
    if (entry !== undefined) return entry
    const what = `${operation} operation on uninitialized share partition not allowed.`
    throw new KafkaError('INVALID_REQUEST', what)
  }

  #checkExists({ topicId, partition }: SharePartitionId): void {
    if (partition < 0) {
      throw new KafkaError('INVALID_REQUEST', 'The partition id cannot be a negative number.')
    }
    if (partition >= (this.#options.partitionCount(topicId) ?? 0)) {
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    }
  }
}

/** The key of a share partition, which also decides its partition of `__share_group_state`. */
export function keyOf({ groupId, topicId, partition }: SharePartitionId): string {
  return `${groupId}:${topicId}:${partition}`
}

function updated(
  state: SharePartitionState,
  change: Omit<SharePartitionWrite, 'stateEpoch'>,
): SharePartitionState {
  const startOffset = change.startOffset === -1 ? state.startOffset : change.startOffset
  return {
    ...state,
    startOffset,
    leaderEpoch: change.leaderEpoch === -1 ? state.leaderEpoch : change.leaderEpoch,
    deliveryCompleteCount: change.deliveryCompleteCount,
    stateBatches: combineStateBatches(state.stateBatches, change.stateBatches, startOffset),
  }
}

function checkLeaderEpoch({ leaderEpoch }: SharePartitionState, claimed: number): void {
  if (claimed !== -1 && claimed < leaderEpoch) throw new KafkaError('FENCED_LEADER_EPOCH')
}

function checkStateEpoch({ stateEpoch }: SharePartitionState, claimed: number): void {
  if (claimed !== -1 && claimed < stateEpoch) throw new KafkaError('FENCED_STATE_EPOCH')
}
