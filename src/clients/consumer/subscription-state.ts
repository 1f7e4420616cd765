/**
 * What a consumer wants to read and what it is assigned: pure state, without any I/O.
 *
 * Topics, a pattern, and partitions of one's own choice exclude each other, until `unsubscribe`.
 * The membership of the group applies assignments here; the fetcher reads positions from here and
 * moves them on; the application seeks and pauses. Whoever looks often compares `version`, which
 * rises with each change of the assignment.
 */
import { IllegalStateError } from '../errors.ts'
import { partitionName, type TopicPartition } from '../topic-partition.ts'
import type { OffsetReset } from './offset-reset.ts'
import { type OffsetToCommit, PartitionState } from './partition-state.ts'

/** Told of changes of the assignment, within `poll`. Promises are awaited. */
export interface RebalanceListener {
  /** The partitions are the consumer's now, in addition to those it had. */
  onPartitionsAssigned?(partitions: TopicPartition[]): void | Promise<void>
  /** The partitions are about to be given away; offsets can still be committed. */
  onPartitionsRevoked?(partitions: TopicPartition[]): void | Promise<void>
  /** The partitions are somebody else's already. Without it, `onPartitionsRevoked` is called. */
  onPartitionsLost?(partitions: TopicPartition[]): void | Promise<void>
}

/** `pattern` is matched by the client over its metadata, `re2` by the broker (KIP-848). */
export type SubscriptionKind = 'none' | 'topics' | 'pattern' | 're2' | 'assigned'

export class SubscriptionState {
  /** What `auto.offset.reset` says. */
  readonly defaultReset: OffsetReset
  #kind: SubscriptionKind = 'none'
  #topics: ReadonlySet<string> = new Set()
  #pattern: RegExp | undefined
  #re2: string | undefined
  #listener: RebalanceListener | undefined
  /** By topic, then by partition: looked up for each partition of each answer. */
  readonly #states = new Map<string, Map<number, PartitionState>>()
  #list: readonly PartitionState[] = []
  #version = 0
  #changes = 0

  constructor(defaultReset: OffsetReset) {
    this.defaultReset = defaultReset
  }

  get kind(): SubscriptionKind {
    return this.#kind
  }

  /** The topics subscribed to; of a pattern, those it is known to match. */
  get topics(): ReadonlySet<string> {
    return this.#topics
  }

  get pattern(): RegExp | undefined {
    return this.#pattern
  }

  get re2(): string | undefined {
    return this.#re2
  }

  get listener(): RebalanceListener | undefined {
    return this.#listener
  }

  /** Whether a group assigns the partitions. */
  get isGroupManaged(): boolean {
    return this.#kind !== 'none' && this.#kind !== 'assigned'
  }

  /** Rises with each change of the assignment. */
  get version(): number {
    return this.#version
  }

  /** Rises with each change after which there may be something else to ask brokers. */
  get changes(): number {
    return this.#changes
  }

  /** Subscribes to topics instead of those before. Returns whether that changes something. */
  subscribe(topics: Iterable<string>, listener?: RebalanceListener): boolean {
    this.#become('topics')
    this.#listener = listener
    return this.#setTopics(topics)
  }

  /** Subscribes to the topics that match, which `setMatches` has to tell. */
  subscribeToPattern(pattern: RegExp, listener?: RebalanceListener): void {
    this.#become('pattern')
    this.#pattern = pattern
    this.#listener = listener
  }

  /** Subscribes to the topics that match in the eyes of the broker. */
  subscribeToRe2(re2: string, listener?: RebalanceListener): void {
    this.#become('re2')
    this.#re2 = re2
    this.#listener = listener
  }

  /** The topics that the pattern matches. Returns whether they are others than before. */
  setMatches(topics: Iterable<string>): boolean {
    return this.#setTopics(topics)
  }

  /** Ends subscription and assignment. */
  unsubscribe(): void {
    this.#kind = 'none'
    this.#topics = new Set()
    this.#pattern = undefined
    this.#re2 = undefined
    this.#listener = undefined
    this.#assign([])
  }

  /** The partitions of the application's own choice, instead of those before. */
  assignFromUser(partitions: Iterable<TopicPartition>): void {
    this.#become('assigned')
    this.#assign(partitions)
  }

  /**
   * The partitions that the group assigns, all of them. Partitions that stay keep what is known
   * of them. `arePending` holds new ones back until `enable`, so that the listener is told first.
   */
  assignFromGroup(partitions: Iterable<TopicPartition>, arePending = false): void {
    if (!this.isGroupManaged) throw new IllegalStateError('The consumer has not subscribed')
    const before = this.#version
    this.#assign(partitions)
    for (const state of this.#list) {
      state.isPendingRevocation = false
      if (arePending && state.version > before) state.isPendingAssignment = true
    }
  }

  /** Lets new partitions be fetched. */
  enable(partitions: Iterable<TopicPartition>): void {
    for (const partition of partitions) {
      const state = this.find(partition)
      if (state !== undefined) state.isPendingAssignment = false
    }
  }

  /** Keeps partitions from being fetched or handed out: they are about to be given away. */
  markPendingRevocation(partitions: Iterable<TopicPartition>): void {
    for (const partition of partitions) {
      const state = this.find(partition)
      if (state !== undefined) state.isPendingRevocation = true
    }
  }

  isAssigned(partition: TopicPartition): boolean {
    return this.find(partition) !== undefined
  }

  assigned(): TopicPartition[] {
    return this.#list.map(({ topic, partition }) => ({ topic, partition }))
  }

  /** All that is assigned, in the order in which it came. */
  get states(): readonly PartitionState[] {
    return this.#list
  }

  find({ topic, partition }: TopicPartition): PartitionState | undefined {
    return this.#states.get(topic)?.get(partition)
  }

  /** Throws IllegalStateError if the partition is not assigned. */
  partition(wanted: TopicPartition): PartitionState {
    const state = this.find(wanted)
    if (state !== undefined) return state
    throw new IllegalStateError(`No current assignment for partition ${partitionName(wanted)}`)
  }

  /** What the application is done with in each partition that has a position. */
  consumedOffsets(partitions: Iterable<TopicPartition> = this.#list): OffsetToCommit[] {
    return this.#positions(partitions).map((state) => {
      const { topic, partition, consumedOffset: offset, consumedEpoch: leaderEpoch } = state
      return { topic, partition, offset, leaderEpoch, metadata: '' }
    })
  }

  /** What the application has got of each partition that has a position. */
  deliveredOffsets(): OffsetToCommit[] {
    return this.#positions(this.#list).map((state) => {
      const { topic, partition, deliveredOffset: offset, deliveredEpoch: leaderEpoch } = state
      return { topic, partition, offset, leaderEpoch, metadata: '' }
    })
  }

  #positions(partitions: Iterable<TopicPartition>): PartitionState[] {
    return [...partitions].flatMap((wanted) => {
      const state = this.find(wanted)
      return state?.hasPosition ? [state] : []
    })
  }

  #become(kind: SubscriptionKind): void {
    if (this.#kind !== 'none' && this.#kind !== kind) {
      throw new IllegalStateError(
        'Subscription to topics, partitions and pattern are mutually exclusive',
      )
    }
    this.#kind = kind
  }

  #setTopics(topics: Iterable<string>): boolean {
    const next = new Set(topics)
    const isSame = next.size === this.#topics.size && [...next].every((t) => this.#topics.has(t))
    if (!isSame) this.#topics = next
    return !isSame
  }

  #assign(partitions: Iterable<TopicPartition>): void {
    const list: PartitionState[] = []
    const next = new Map<string, Map<number, PartitionState>>()
    this.#version += 1
    for (const wanted of partitions) {
      let topic = next.get(wanted.topic)
      if (topic === undefined) {
        topic = new Map()
        next.set(wanted.topic, topic)
      }
      if (topic.has(wanted.partition)) continue
      const state = this.find(wanted) ?? this.#newState(wanted)
      topic.set(wanted.partition, state)
      list.push(state)
    }
    for (const state of this.#list) {
      if (next.get(state.topic)?.get(state.partition) !== state) state.drop()
    }
    this.#states.clear()
    for (const [name, topic] of next) this.#states.set(name, topic)
    this.#list = list
    this.#changes += 1
  }

  #newState(partition: TopicPartition): PartitionState {
    return new PartitionState(partition, this.#version, () => {
      this.#changes += 1
    })
  }
}
