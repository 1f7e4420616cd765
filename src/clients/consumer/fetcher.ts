/**
 * Fetches records ahead of the application. To each broker one request is under way at a time, on a
 * connection of its own. A partition is asked for as long as less of it is buffered than one answer
 * may bring, so that the next answer comes in while the application works on this one.
 *
 * `pump` sends what is to be sent, and is to be called when that may have changed; `onProgress` is
 * called when there is something to collect, or an error to be seen.
 *
 * A broker that waits for new records of some partitions would hold up those that are not in the
 * request because enough of them is buffered. So while there are such, brokers are asked not to
 * wait, and an answer without records is followed by a rest, which ends when something is drained.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { Fetch } from '../../protocol/messages/fetch.ts'
import type { RequestInput } from '../../protocol/schema.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import { ClosedError, throwIfError } from '../errors.ts'
import type { ConsumerObserver } from '../observability/consumer-observer.ts'
import { DueTimer } from './due-timer.ts'
import { FetchAnswers, type FetchAnswersOptions, type WantedPartition } from './fetch-answers.ts'
import type { PartitionBatch } from './fetch-buffer.ts'
import { FetchSession } from './fetch-session.ts'
import type { PartitionState } from './partition-state.ts'

export interface FetcherOptions<Key, Value> extends FetchAnswersOptions<Key, Value> {
  readonly onProgress: () => void
  readonly observer: ConsumerObserver
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxWaitMs: number
  readonly maxPartitionBytes: number
  readonly maxBufferedBytes: number
  readonly rack: string
}

/** What is known of a broker as somebody to fetch from. */
interface BrokerLine {
  readonly nodeId: number
  readonly session: FetchSession
  isBusy: boolean
  /** No request before (monotonic). */
  restUntilMs: number
  failures: number
  /** How often had been polled when the last request went out. */
  sentAtPoll: number
  /** The last answer had no records: whether it pays to ask again, the application decides. */
  isIdle: boolean
}

/** What to ask of one broker. */
interface Plan {
  readonly wanted: WantedPartition[]
  /** Whether partitions are left out because enough of them is buffered. */
  isHeldBack: boolean
}

const LAST_VERSION_WITH_NAMES = 12
/** Errors that say: the broker and we do not agree on the session. */
const SESSION_ERRORS: readonly number[] = [
  ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
  ErrorCode.INVALID_FETCH_SESSION_EPOCH,
  ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR,
]

export class Fetcher<Key, Value> {
  readonly #options: FetcherOptions<Key, Value>
  readonly #retryTimer: DueTimer
  readonly #answers: FetchAnswers<Key, Value>
  readonly #lines = new Map<number, BrokerLine>()
  #polls = 0
  #seenChanges = -1
  #isDirty = true
  #isClosed = false

  constructor(options: FetcherOptions<Key, Value>) {
    this.#options = options
    this.#answers = new FetchAnswers(options)
    const { clock } = options.cluster.environment
    this.#retryTimer = new DueTimer(clock, () => this.lookAgain())
  }

  /** Bytes that are fetched and not handed out. */
  get bufferedBytes(): number {
    return this.#answers.bufferedBytes
  }

  /** The application asks for records: it is worth while to fetch on. */
  notePoll(): void {
    this.#polls += 1
    for (const line of this.#lines.values()) if (line.isIdle) this.#isDirty = true
  }

  /** At most `max` records. Throws if there are none for a reason. */
  collect(max: number): PartitionBatch<Key, Value>[] {
    const before = this.#answers.bufferedBytes
    try {
      const batches = this.#answers.collect(max)
      let count = 0
      for (const { records } of batches) count += records.length
      if (count > 0) this.#options.observer.consumed(count, before - this.#answers.bufferedBytes)
      return batches
    } finally {
      if (this.#answers.bufferedBytes < before) this.#drained()
    }
  }

  /** Leaders have become known: what could not be asked may be asked now. */
  lookAgain(): void {
    this.#isDirty = true
    this.pump()
  }

  /** Sends what is to be sent. */
  pump(): void {
    const { changes } = this.#options.subscription
    if (this.#isClosed || (!this.#isDirty && changes === this.#seenChanges)) return
    this.#isDirty = false
    this.#seenChanges = changes
    if (!this.#hasRoom()) this.#answers.dropWithheld()
    if (!this.#hasRoom()) return
    for (const [line, { wanted, isHeldBack }] of this.#plan()) {
      if (wanted.length > 0) void this.#fetch(line, wanted, isHeldBack)
    }
  }

  close(): void {
    this.#isClosed = true
    this.#retryTimer.cancel()
    this.#answers.clear()
  }

  get #nowMs(): number {
    return this.#options.cluster.environment.clock.monotonic()
  }

  #hasRoom(): boolean {
    const held = this.#answers.bufferedBytes
    return held === 0 || held < this.#options.maxBufferedBytes
  }

  #drained(): void {
    this.#isDirty = true
    for (const line of this.#lines.values()) if (line.failures === 0) line.restUntilMs = 0
  }

  #plan(): Map<BrokerLine, Plan> {
    const plans = new Map<BrokerLine, Plan>()
    const nowMs = this.#nowMs
    for (const state of this.#options.subscription.states) {
      if (!state.isFetchable) continue
      const wanted = this.#wanted(state)
      if (wanted === undefined || !this.#retryTimer.isDue(state.retryAtMs, nowMs)) continue
      const line = this.#line(this.#nodeFor(state, wanted.leaderId, nowMs))
      if (line.isBusy || !this.#retryTimer.isDue(line.restUntilMs, nowMs)) continue
      if (line.isIdle && line.sentAtPoll === this.#polls) continue
      let plan = plans.get(line)
      if (plan === undefined) {
        plan = { wanted: [], isHeldBack: false }
        plans.set(line, plan)
      }
      if (state.bufferedBytes >= this.#options.maxPartitionBytes) plan.isHeldBack = true
      else plan.wanted.push(wanted)
    }
    return plans
  }

  /** What to ask for a partition; undefined if it cannot be asked for now. */
  #wanted(state: PartitionState): (WantedPartition & { leaderId: number }) | undefined {
    const leader = this.#options.leaders.find(state)
    if (leader === undefined) return undefined
    const { topicId, leaderId, leaderEpoch } = leader
    // A new leader may not have what was read (KIP-320).
    const isNew = leaderEpoch > state.leaderEpoch && state.leaderEpoch >= 0
    if (isNew && state.offsetEpoch >= 0) {
      state.validate()
      this.#options.onProgress()
      return undefined
    }
    state.leaderEpoch = leaderEpoch
    const { topic, partition, name, fetchOffset, jumps } = state
    return { topic, topicId, partition, name, fetchOffset, leaderEpoch, state, jumps, leaderId }
  }

  #nodeFor(state: PartitionState, leaderId: number, nowMs: number): number {
    const { preferredReplica } = state
    if (preferredReplica < 0) return leaderId
    const isKnown = this.#options.cluster.metadata.brokers.has(preferredReplica)
    if (isKnown && nowMs < state.preferredReplicaUntilMs) return preferredReplica
    state.preferredReplica = -1
    return leaderId
  }

  #line(nodeId: number): BrokerLine {
    let line = this.#lines.get(nodeId)
    if (line === undefined) {
      const session = new FetchSession(this.#options.maxPartitionBytes)
      const counts = { restUntilMs: 0, failures: 0, sentAtPoll: -1 }
      line = { nodeId, session, isBusy: false, isIdle: false, ...counts }
      this.#lines.set(nodeId, line)
    }
    return line
  }

  async #fetch(line: BrokerLine, wanted: WantedPartition[], isHeldBack: boolean): Promise<void> {
    const { cluster, maxWaitMs, observer, onProgress } = this.#options
    const startMs = this.#nowMs
    line.isBusy = true
    line.sentAtPoll = this.#polls
    try {
      const hasIds = wanted.every(({ topicId }) => topicId !== ZERO_UUID)
      const options = { lane: 'fetch', ...(hasIds ? {} : { maxVersion: LAST_VERSION_WITH_NAMES }) }
      const request = () => this.#request(line, wanted, isHeldBack ? 0 : maxWaitMs)
      const limits = cluster.limits()
      const response = await cluster.sendTo(line.nodeId, Fetch, request, limits, options)
      if (this.#isClosed) return
      throwIfError(response.errorCode)
      observer.fetched(line.nodeId, startMs, response)
      line.session.answered(response.sessionId)
      line.failures = 0
      line.isIdle = !this.#answers.take(line.nodeId, wanted, response)
      if (line.isIdle && isHeldBack) line.restUntilMs = this.#nowMs + maxWaitMs
    } catch (error) {
      if (error instanceof KafkaError) observer.fetched(line.nodeId, startMs, error)
      this.#failed(line, wanted, error)
    } finally {
      line.isBusy = false
      this.#isDirty = true
      onProgress()
      this.pump()
    }
  }

  #request(
    { session }: BrokerLine,
    wanted: readonly WantedPartition[],
    maxWaitMs: number,
  ): RequestInput<typeof Fetch> {
    const { minBytes, maxBytes, maxBufferedBytes, isReadCommitted, rack } = this.#options
    const roomBytes = Math.max(maxBufferedBytes - this.#answers.bufferedBytes, 1)
    return {
      maxWaitMs,
      minBytes: maxWaitMs === 0 ? 0 : minBytes,
      maxBytes: Math.min(maxBytes, roomBytes),
      isolationLevel: isReadCommitted ? 1 : 0,
      rackId: rack,
      ...session.request(wanted),
    }
  }

  #failed(line: BrokerLine, wanted: readonly WantedPartition[], error: unknown): void {
    const { cluster, leaders } = this.#options
    line.session.reset()
    line.isIdle = false
    if (this.#isClosed || error instanceof ClosedError) return
    const isPassing = error instanceof KafkaError && error.retriable
    const isSession = isPassing && SESSION_ERRORS.includes(error.code)
    // A session that is gone is made anew at once; but not over and over.
    if (!isSession || line.failures > 0) {
      line.restUntilMs = this.#nowMs + cluster.backoff.delayMs(line.failures)
    }
    line.failures += 1
    if (isSession) return
    for (const { state, topic } of wanted) {
      if (isPassing) leaders.lost(topic)
      else this.#answers.keepError(state, error)
    }
  }
}
