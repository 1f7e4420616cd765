/**
 * Finds the positions of partitions, without waiting: the committed offset if there is a group,
 * else (or if there is none) where `auto.offset.reset` says; and compares positions with what a new
 * leader has (KIP-320).
 *
 * ```
 * initializing ──committed──► validating ──same as the leader──► fetching
 *      │ none committed            │ the log was cut off            │ out of range
 *      └────────► resetting ◄──────┴────────────────────────────────┘
 *                     └─────────offset found───────────────────► fetching
 * ```
 * `update` asks what is to be asked, and is to be called when that may have changed. `onProgress`
 * is called when something was found, or an error is to be seen.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { ListOffsets } from '../../protocol/messages/list-offsets.ts'
import { OffsetForLeaderEpoch } from '../../protocol/messages/offset-for-leader-epoch.ts'
import type { CallLimits } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { ClosedError, errorForCode } from '../errors.ts'
import { byTopic, partitionName, type TopicPartition } from '../topic-partition.ts'
import { DueTimer } from './due-timer.ts'
import { LogTruncationError, NoOffsetForPartitionError } from './errors.ts'
import type { OffsetReset } from './offset-reset.ts'
import type { Leader, PartitionLeaders } from './partition-leaders.ts'
import type { OffsetToCommit, PartitionState } from './partition-state.ts'
import type { SubscriptionState } from './subscription-state.ts'

/** Asks for committed offsets, by the names of the partitions. */
export type CommittedOffsets = (
  partitions: readonly TopicPartition[],
  limits: CallLimits,
) => Promise<ReadonlyMap<string, OffsetToCommit | undefined>>

export interface PositionsOptions {
  readonly cluster: ClusterClient
  readonly subscription: SubscriptionState
  readonly leaders: PartitionLeaders
  /** Undefined where there is no group. */
  readonly committed: CommittedOffsets | undefined
  readonly isReadCommitted: boolean
  readonly onProgress: () => void
}

/** A partition about which a request is under way. */
interface Asked extends TopicPartition {
  readonly state: PartitionState
  readonly jumps: number
  readonly leaderEpoch: number
}

/** What stands for the ends of a log in ListOffsets. */
const LATEST = -1
const EARLIEST = -2
const UNDEFINED_EPOCH = -1

export class Positions {
  readonly #options: PositionsOptions
  readonly #retryTimer: DueTimer
  #seenChanges = -1
  #isDirty = true
  readonly #errors = new Map<PartitionState, { error: unknown; jumps: number }>()
  /** Why there is no position has been told: asked again only when the application asks again. */
  readonly #told = new Set<PartitionState>()
  #isClosed = false

  constructor(options: PositionsOptions) {
    this.#options = options
    const { clock } = options.cluster.environment
    this.#retryTimer = new DueTimer(clock, () => this.lookAgain())
  }

  /** Throws what keeps a partition from having a position, once. */
  throwError(): void {
    for (const [state, { error, jumps }] of this.#errors) {
      this.#errors.delete(state)
      if (state.jumps !== jumps) continue
      this.#told.add(state)
      throw error
    }
  }

  /** The application wants positions: what failed may have been mended. */
  retryFailed(): void {
    if (this.#told.size === 0) return
    this.#told.clear()
    this.#isDirty = true
  }

  /** Leaders have become known: what could not be asked may be asked now. */
  lookAgain(): void {
    this.#isDirty = true
    this.update()
  }

  /** Asks what is to be asked. */
  update(): void {
    const { subscription } = this.#options
    if (this.#isClosed) return
    if (!this.#isDirty && subscription.changes === this.#seenChanges) return
    this.#isDirty = false
    this.#seenChanges = subscription.changes
    const nowMs = this.#nowMs
    if (this.#options.committed === undefined) this.#skipCommitted(nowMs)
    const toAsk = subscription.states.filter((state) => {
      if (state.phase === 'fetching' || state.isDropped || this.#hasFailed(state)) return false
      return state.askedAtJump !== state.jumps && this.#retryTimer.isDue(state.retryAtMs, nowMs)
    })
    this.#initialize(toAsk.filter(({ phase }) => phase === 'initializing'))
    const inPhase = (wanted: string) => toAsk.filter(({ phase }) => phase === wanted)
    this.#askLeaders(inPhase('resetting'), (leaderId, asked) => this.#findOffsets(leaderId, asked))
    this.#askLeaders(inPhase('validating'), (leaderId, asked) => this.#compare(leaderId, asked))
  }

  close(): void {
    this.#isClosed = true
    this.#retryTimer.cancel()
  }

  get #nowMs(): number {
    return this.#options.cluster.environment.clock.monotonic()
  }

  /** Without a group there are no committed offsets to ask for. */
  #skipCommitted(nowMs: number): void {
    for (const state of this.#options.subscription.states) {
      if (state.phase !== 'initializing' || this.#hasFailed(state)) continue
      if (state.retryAtMs <= nowMs) this.#reset(state)
    }
  }

  #initialize(states: readonly PartitionState[]): void {
    const { committed } = this.#options
    if (states.length === 0 || committed === undefined) return
    const asked = states.map((state) => ask(state, UNDEFINED_EPOCH))
    void this.#guard(asked, async () => {
      const partitions = states.map(({ topic, partition }) => ({ topic, partition }))
      const found = await committed(partitions, this.#options.cluster.limits())
      for (const { state, jumps } of asked) {
        const offset = found.get(state.name)
        if (state.jumps !== jumps) continue
        if (offset === undefined) this.#reset(state)
        else state.seek({ offset: offset.offset, leaderEpoch: offset.leaderEpoch ?? -1 })
      }
    })
  }

  #hasFailed(state: PartitionState): boolean {
    const isToBeTold = this.#errors.get(state)?.jumps === state.jumps
    return isToBeTold || this.#told.has(state)
  }

  /** Resets a position as the configuration says. */
  #reset(state: PartitionState): void {
    const { defaultReset } = this.#options.subscription
    if (defaultReset.kind !== 'none') state.reset(defaultReset)
    else this.#fail(state, new NoOffsetForPartitionError([state]))
  }

  #askLeaders(
    states: readonly PartitionState[],
    send: (leaderId: number, asked: readonly Asked[]) => Promise<void>,
  ): void {
    const byLeader = new Map<number, Asked[]>()
    for (const state of states) {
      const leader: Leader | undefined = this.#options.leaders.find(state)
      if (leader === undefined) continue
      const asked = ask(state, leader.leaderEpoch)
      const all = byLeader.get(leader.leaderId)
      if (all === undefined) byLeader.set(leader.leaderId, [asked])
      else all.push(asked)
    }
    for (const [leaderId, asked] of byLeader) {
      void this.#guard(asked, () => send(leaderId, asked))
    }
  }

  async #findOffsets(leaderId: number, asked: readonly Asked[]): Promise<void> {
    const { cluster, isReadCommitted } = this.#options
    const nowMs = cluster.environment.clock.now()
    const topics = byTopic(asked).map(([name, all]) => ({
      name,
      partitions: all.map(({ partition, state, leaderEpoch }) => ({
        partitionIndex: partition,
        currentLeaderEpoch: leaderEpoch,
        timestamp: timestampOf(state.resetTo!, nowMs),
      })),
    }))
    const isolationLevel = isReadCommitted ? 1 : 0
    const request = { replicaId: -1, isolationLevel, topics }
    const response = await cluster.sendTo(leaderId, ListOffsets, request, cluster.limits())
    const byName = new Map(asked.map((item) => [partitionName(item), item]))
    for (const { name: topic, partitions } of response.topics) {
      for (const { partitionIndex: partition, errorCode, offset } of partitions) {
        const { state, jumps } = byName.get(partitionName({ topic, partition })) ?? {}
        if (state === undefined || state.jumps !== jumps) continue
        if (errorCode !== ErrorCode.NONE) this.#refused(state, errorForCode(errorCode))
        // No record is that young: the end of the log is where the next one will be.
        else if (offset < 0) state.reset({ kind: 'latest' })
        else state.seek({ offset, leaderEpoch: UNDEFINED_EPOCH })
      }
    }
  }

  async #compare(leaderId: number, asked: readonly Asked[]): Promise<void> {
    const { cluster } = this.#options
    const topics = byTopic(asked).map(([topic, all]) => ({
      topic,
      partitions: all.map(({ partition, state, leaderEpoch }) => ({
        ...{ partition, currentLeaderEpoch: leaderEpoch, leaderEpoch: state.offsetEpoch },
      })),
    }))
    const limits = cluster.limits()
    const response = await cluster
      .sendTo(leaderId, OffsetForLeaderEpoch, { replicaId: -1, topics }, limits)
      .catch((error) => {
        if (!(error instanceof KafkaError) || error.code !== ErrorCode.UNSUPPORTED_VERSION)
          throw error
        return undefined
      })
    const byName = new Map(asked.map((item) => [partitionName(item), item]))
    // A broker that cannot compare is believed.
    if (response === undefined) for (const item of asked) item.state.validated(item.leaderEpoch)
    for (const { topic, partitions } of response?.topics ?? []) {
      for (const { partition, errorCode, leaderEpoch, endOffset } of partitions) {
        const item = byName.get(partitionName({ topic, partition }))
        if (item === undefined || item.state.jumps !== item.jumps) continue
        if (errorCode !== ErrorCode.NONE) this.#refused(item.state, errorForCode(errorCode))
        else this.#compared(item, leaderEpoch, endOffset)
      }
    }
  }

  /** The largest epoch in the leader's log up to that of the position ends at `endOffset`. */
  #compared({ state, leaderEpoch: current }: Asked, epoch: number, endOffset: number): void {
    const { defaultReset } = this.#options.subscription
    const { topic, partition, offset } = state
    const isUnknown = endOffset < 0 || epoch < 0
    if (!isUnknown && endOffset >= offset) {
      state.validated(current)
      return
    }
    const { log } = this.#options.cluster.environment
    log.warn(`${state.name}: the log was truncated before offset ${offset} (now ${endOffset})`)
    if (defaultReset.kind === 'none') {
      const at = isUnknown ? undefined : endOffset
      this.#fail(state, new LogTruncationError([{ topic, partition, offset: at }]))
    } else if (isUnknown) {
      state.reset(defaultReset)
    } else {
      state.seek({ offset: endOffset, leaderEpoch: epoch })
      state.validated(current)
    }
  }

  /** Runs a request about positions and deals with its failure as a whole. */
  async #guard(asked: readonly Asked[], run: () => Promise<void>): Promise<void> {
    for (const { state } of asked) state.askedAtJump = state.jumps
    try {
      await run()
    } catch (error) {
      if (error instanceof ClosedError) return
      for (const { state, jumps } of asked) if (state.jumps === jumps) this.#refused(state, error)
    } finally {
      for (const { state, jumps } of asked) if (state.askedAtJump === jumps) state.askedAtJump = -1
      this.#isDirty = true
      if (!this.#isClosed) {
        this.update()
        this.#options.onProgress()
      }
    }
  }

  #refused(state: PartitionState, error: unknown): void {
    const { leaders, cluster } = this.#options
    if (error instanceof KafkaError && error.retriable) {
      if (state.phase !== 'initializing') leaders.lost(state.topic)
      state.failed(this.#nowMs + cluster.backoff.delayMs(state.failures))
    } else {
      this.#fail(state, error)
    }
  }

  /** The application must know, and may mend it, by seeking for example. */
  #fail(state: PartitionState, error: unknown): void {
    this.#errors.set(state, { error, jumps: state.jumps })
    state.failed(this.#nowMs + this.#options.cluster.backoff.delayMs(state.failures))
  }
}

function ask(state: PartitionState, leaderEpoch: number): Asked {
  const { topic, partition, jumps } = state
  return { topic, partition, state, jumps, leaderEpoch }
}

function timestampOf(reset: OffsetReset, nowMs: number): number {
  if (reset.kind === 'by_duration') return Math.max(0, nowMs - reset.durationMs)
  return reset.kind === 'earliest' ? EARLIEST : LATEST
}
