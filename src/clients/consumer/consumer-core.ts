/**
 * The parts of a consumer put together, and the loop that all ways of consuming have in common: the
 * membership gets its turn, positions are found, records are collected, and more are fetched.
 */
import type { Config } from '../../common/config/config.ts'
import type { CallLimits, CallOptions } from '../cluster/call-limits.ts'
import { ClusterClient } from '../cluster/cluster-client.ts'
import type { ConsumerKeys } from '../config/consumer-config.ts'
import type { Deserializer } from '../deserializers.ts'
import type { ClientEnvironment } from '../environment.ts'
import { ClosedError, IllegalStateError } from '../errors.ts'
import { ConsumerObserver } from '../observability/consumer-observer.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { ConsumerRecords } from './consumer-records.ts'
import { noGroup, WakeupError } from './errors.ts'
import type { PartitionBatch } from './fetch-buffer.ts'
import { Fetcher } from './fetcher.ts'
import type { Assignor } from './group/assignor.ts'
import type { GroupMembership, MembershipHost } from './group/group-membership.ts'
import type { ConsumerInterceptors } from './interceptors.ts'
import { parseOffsetReset } from './offset-reset.ts'
import { PartitionLeaders } from './partition-leaders.ts'
import type { OffsetToCommit, PartitionState } from './partition-state.ts'
import { Positions } from './positions.ts'
import { SubscriptionState } from './subscription-state.ts'
import { WakeLatch } from './wake-latch.ts'

export interface ConsumerCoreOptions<Key, Value> {
  readonly config: Config<ConsumerKeys>
  readonly environment: ClientEnvironment
  readonly keyDeserializer: Deserializer<Key> | undefined
  readonly valueDeserializer: Deserializer<Value> | undefined
  readonly interceptors: ConsumerInterceptors<Key, Value>
  readonly assignors: readonly Assignor[]
  /** Makes the consumer's place in its group. */
  readonly join?: (host: MembershipHost) => GroupMembership
}

/** What works on records in the background, and has to stop before their partitions go. */
export interface Worker {
  /** Resolves when nothing works on these partitions any more; without any, when nothing does. */
  drain(partitions?: readonly TopicPartition[]): Promise<void>
}

/** How records are asked for by what is built on the core. */
export interface NextOptions extends PollOptions {
  /** Ends the wait for records when it becomes true; asked whenever something has happened. */
  readonly until?: () => boolean
  /** While it is false, the membership gets no turn, and leaves the group in the end. */
  readonly isAlive?: () => boolean
}

export interface PollOptions extends CallOptions {
  /** How long to wait for records, in milliseconds; without it, until there are some. */
  readonly timeoutMs?: number
  /** Instead of `max.poll.records`. */
  readonly maxRecords?: number
}

/** How long a poll may take to end when the consumer is closed. */
const STOP_TIMEOUT_MS = 1000

export class ConsumerCore<Key, Value> implements MembershipHost {
  readonly config: Config<ConsumerKeys>
  readonly environment: ClientEnvironment
  readonly cluster: ClusterClient
  readonly observer: ConsumerObserver
  readonly subscription: SubscriptionState
  readonly latch: WakeLatch
  readonly interceptors: ConsumerInterceptors<Key, Value>
  readonly assignors: readonly Assignor[]
  readonly isReadCommitted: boolean
  readonly #maxPollRecords: number
  readonly #turnTimeoutMs: number
  readonly #membership: GroupMembership | undefined
  readonly #leaders: PartitionLeaders
  readonly #positions: Positions
  readonly #fetcher: Fetcher<Key, Value>
  #waking = new AbortController()
  /** What works on records in the background. */
  readonly workers = new Set<Worker>()
  /** Partitions whose records were delivered and count as consumed at the next call. */
  #inHand: PartitionState[] = []
  /** The poll under way. */
  #polling: Promise<unknown> | undefined
  #isLeaving = false
  /** Nobody polls any more; listeners that are told of the end may still call. */
  #isStopped = false
  #isClosed = false

  constructor(options: ConsumerCoreOptions<Key, Value>) {
    const { config, environment, interceptors } = options
    const { keyDeserializer, valueDeserializer } = options
    this.config = config
    this.environment = environment
    this.interceptors = interceptors
    this.assignors = options.assignors
    this.latch = new WakeLatch(environment.clock)
    this.isReadCommitted = config.get('isolation.level') === 'read_committed'
    this.#maxPollRecords = config.get('max.poll.records')
    this.#turnTimeoutMs = config.get('default.api.timeout.ms')
    const allowAutoTopicCreation = config.get('allow.auto.create.topics')
    const cluster = new ClusterClient({ config, environment, allowAutoTopicCreation })
    const subscription = new SubscriptionState(parseOffsetReset(config.get('auto.offset.reset')))
    const leaders = new PartitionLeaders(cluster, () => this.#leadersFound())
    this.cluster = cluster
    this.observer = new ConsumerObserver(cluster.observer, config.get('group.id') ?? '')
    this.subscription = subscription
    this.#leaders = leaders
    this.#membership = config.get('group.id') === null ? undefined : options.join?.(this)
    const membership = this.#membership
    const { isReadCommitted } = this
    const onProgress = () => this.latch.ring()
    const parts = { cluster, subscription, leaders, isReadCommitted, onProgress }
    this.#positions = new Positions({
      ...parts,
      committed: membership && ((all, limits) => membership.committed(all, limits)),
    })
    this.#fetcher = new Fetcher({
      ...parts,
      ...{ keyDeserializer, valueDeserializer, observer: this.observer },
      checkCrcs: config.get('check.crcs'),
      metadataMaxAgeMs: config.get('metadata.max.age.ms'),
      minBytes: config.get('fetch.min.bytes'),
      maxBytes: config.get('fetch.max.bytes'),
      maxWaitMs: config.get('fetch.max.wait.ms'),
      maxPartitionBytes: config.get('max.partition.fetch.bytes'),
      maxBufferedBytes: config.get('buffer.memory'),
      rack: config.get('client.rack'),
    })
  }

  /** Whether nothing more is to be read. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** Throws INVALID_GROUP_ID where there is no group. */
  get membership(): GroupMembership {
    if (this.#membership === undefined) throw noGroup()
    return this.#membership
  }

  /** Bytes that are fetched and not handed out. */
  get bufferedBytes(): number {
    return this.#fetcher.bufferedBytes
  }

  get hasGroup(): boolean {
    return this.#membership !== undefined
  }

  /** Ends the call under way, or else the next one, with WakeupError. */
  wakeup(): void {
    this.#waking.abort(new WakeupError())
  }

  /** Runs a call that `wakeup` may end. */
  async call<Result>(
    options: CallOptions,
    run: (limits: CallLimits) => Promise<Result>,
  ): Promise<Result> {
    if (this.#isClosed) throw closed()
    try {
      return await run(this.#limits(options))
    } catch (error) {
      if (error instanceof WakeupError) this.#waking = new AbortController()
      throw error
    }
  }

  /**
   * Records, as soon as there are some; none when the time is up. They count as handed out, and the
   * application has to say when it is done with them.
   */
  async next(options: NextOptions = {}): Promise<PartitionBatch<Key, Value>[]> {
    if (this.#isStopped) throw closed()
    if (this.#polling !== undefined) throw new IllegalStateError('Another poll is under way')
    if (this.subscription.kind === 'none') {
      const text = 'Consumer is not subscribed to any topics or assigned any partitions'
      throw new IllegalStateError(text)
    }
    this.#settle()
    const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options
    const polling = this.call({ timeoutMs, signal }, (limits) => this.#poll(limits, options))
    this.#polling = polling
    try {
      return await polling
    } finally {
      this.#polling = undefined
    }
  }

  /** Records of these partitions were delivered; at the next call they count as consumed. */
  hold(states: Iterable<PartitionState>): void {
    this.#inHand.push(...states)
  }

  /** Whether `turn` has something to do. */
  get wantsTurn(): boolean {
    return this.#waking.signal.aborted || (this.#membership?.nextPollInMs() ?? 1) <= 0
  }

  /** Gives the membership its turn, between records. */
  async turn(): Promise<void> {
    if (this.#isStopped) throw closed()
    this.#settle()
    await this.call({}, async (limits) => {
      limits.check()
      await this.#membership?.poll(limits)
    })
  }

  /** Resolves when `isDone`; meanwhile positions are looked for. Rejects when the time is up. */
  async until(limits: CallLimits, isDone: () => boolean): Promise<void> {
    this.#positions.retryFailed()
    for (;;) {
      const seen = this.latch.rings
      this.#positions.update()
      if (isDone()) return
      this.#throwErrors()
      limits.check()
      await this.latch.wait(seen, limits.remainingMs, limits.signal)
    }
  }

  /** Something happened for which a waiting poll should look. */
  wake(): void {
    this.latch.ring()
  }

  /** Lets callbacks that run on partitions end before these are given away. */
  async beforeRevoke(partitions: readonly TopicPartition[]): Promise<void> {
    await Promise.all([...this.workers].map((worker) => worker.drain(partitions)))
  }

  /** Offsets were committed. */
  onCommit(offsets: readonly OffsetToCommit[]): void {
    this.interceptors.onCommit(offsets)
  }

  /** Ends what works on records in the background, and awaits that. */
  async drain(): Promise<void> {
    await Promise.all([...this.workers].map((worker) => worker.drain()))
  }

  /** Leaves the group, if there is one. A poll under way does not join it again meanwhile. */
  async leave(limits: CallLimits): Promise<void> {
    this.#isLeaving = true
    try {
      await this.#membership?.leave(limits)
    } finally {
      this.#isLeaving = false
      this.latch.ring()
    }
  }

  /** Has polls fail with ClosedError from now on, and calls under way as soon as they notice. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#waking.abort(closed())
    this.#waking = new AbortController()
    const limits = this.cluster.limits({ timeoutMs: STOP_TIMEOUT_MS })
    // A poll cannot end while a listener runs in it, and that may be what closes the consumer.
    await limits.wait(this.#polling ?? Promise.resolve()).catch(() => {})
  }

  /** Ends everything, after `stop`. Whatever is called now fails with ClosedError. */
  close(): void {
    this.#isClosed = true
    this.#waking.abort(closed())
    this.#fetcher.close()
    this.#positions.close()
    this.#leaders.close()
    this.cluster.close()
    this.interceptors.close()
    this.latch.ring()
  }

  async #poll(limits: CallLimits, options: NextOptions): Promise<PartitionBatch<Key, Value>[]> {
    const max = options.maxRecords ?? this.#maxPollRecords
    this.#positions.retryFailed()
    for (;;) {
      const seen = this.latch.rings
      limits.signal?.throwIfAborted()
      if (this.subscription.kind === 'none') return []
      if (!this.#isLeaving && (options.isAlive?.() ?? true)) {
        // A turn that is not over by then goes on in the background.
        const timeoutMs = Math.min(limits.remainingMs, this.#turnTimeoutMs)
        await this.#membership?.poll(this.cluster.limits({ timeoutMs, signal: limits.signal }))
      }
      if (options.until?.()) return []
      this.#positions.update()
      this.#fetcher.notePoll()
      const batches = this.#fetcher.collect(max)
      this.#fetcher.pump()
      if (batches.length > 0) return this.#intercept(batches)
      this.#throwErrors()
      const waitMs = Math.min(
        limits.remainingMs,
        this.#membership?.nextPollInMs() ?? limits.remainingMs,
      )
      if (limits.remainingMs === 0) return []
      await this.latch.wait(seen, waitMs, limits.signal)
    }
  }

  #intercept(batches: PartitionBatch<Key, Value>[]): PartitionBatch<Key, Value>[] {
    if (this.interceptors.isEmpty) return batches
    const records = this.interceptors.onConsume(new ConsumerRecords(batches))
    for (const batch of batches) batch.records = [...records.records(batch)]
    return batches
  }

  #settle(): void {
    for (const state of this.#inHand.splice(0)) state.settle()
  }

  #throwErrors(): void {
    this.#positions.throwError()
    const refusal = this.#leaders.takeRefusal()
    if (refusal !== undefined) throw refusal
  }

  #leadersFound(): void {
    this.#positions.lookAgain()
    this.#fetcher.lookAgain()
    this.latch.ring()
  }

  #limits({ timeoutMs, signal }: CallOptions): CallLimits {
    const waking = this.#waking.signal
    const both = signal === undefined ? waking : AbortSignal.any([signal, waking])
    return this.cluster.limits({ timeoutMs, signal: both })
  }
}

function closed(): ClosedError {
  return new ClosedError('The consumer is closed')
}
