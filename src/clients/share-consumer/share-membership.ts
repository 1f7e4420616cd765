/**
 * Membership in a share group: heartbeats, and the assignment that comes with their answers
 * (KIP-932).
 *
 * ```
 * outside ─subscribe─► joining ─answer─► member ─fenced, unknown─► joining
 *    ▲                                     │ no poll within max.poll.interval.ms, unsubscribe
 *    └─────────────────────────────────────┘            a poll joins again
 * ```
 * Heartbeats run on timers, whether the application polls or not. A member that is blocked (a
 * synchronous loop) sends none, and the broker takes it for dead after its session timeout.
 */
import type { Timer } from '../../common/clock.ts'
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { ShareGroupHeartbeat } from '../../protocol/messages/share-group-heartbeat.ts'
import type { ResponseOf } from '../../protocol/schema.ts'
import type { CallLimits } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { errorForCode } from '../errors.ts'
import type { ConsumerObserver } from '../observability/consumer-observer.ts'
import type { PartitionId } from './share-session.ts'

export interface ShareMembershipOptions {
  readonly cluster: ClusterClient
  readonly groupId: string
  readonly memberId: string
  /** `client.rack`; empty where nobody knows. */
  readonly rack: string
  readonly maxPollIntervalMs: number
  readonly observer: ConsumerObserver
  /** The assignment has changed, or the membership has failed. */
  readonly onChange: () => void
}

const JOIN_EPOCH = 0
const LEAVE_EPOCH = -1
/** After these the coordinator knows the member no more, or not with this epoch. */
const LOST: readonly number[] = [ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.FENCED_MEMBER_EPOCH]

export class ShareMembership {
  readonly #options: ShareMembershipOptions
  #topics: readonly string[] = []
  #isMember = false
  #epoch = JOIN_EPOCH
  /** The subscription that the coordinator does not know yet. */
  #isSubscriptionNew = false
  #assignment: readonly PartitionId[] = []
  #error: KafkaError | undefined
  #beating: Promise<void> | undefined
  #beatTimer: Timer | undefined
  #pollTimer: Timer | undefined
  #failures = 0
  #isClosed = false

  constructor(options: ShareMembershipOptions) {
    this.#options = options
  }

  get assignment(): readonly PartitionId[] {
    return this.#assignment
  }

  get topics(): readonly string[] {
    return this.#topics
  }

  /** Why there can be no membership. */
  get error(): KafkaError | undefined {
    return this.#error
  }

  subscribe(topics: readonly string[]): void {
    this.#topics = [...new Set(topics)].sort()
    this.#isSubscriptionNew = true
    if (this.#isMember) this.#beatNow()
  }

  /** There is nothing to read any more; `leave` is to follow. */
  unsubscribe(): void {
    this.#topics = []
    this.#assign([])
  }

  /** The application is alive. Joins if it has subscribed and is not a member. */
  poll(): void {
    if (this.#isClosed || this.#topics.length === 0) return
    const { cluster, maxPollIntervalMs } = this.#options
    this.#pollTimer?.cancel()
    this.#pollTimer = cluster.environment.clock.schedule(maxPollIntervalMs, () => this.#expire())
    if (this.#isMember || this.#error !== undefined) return
    this.#isMember = true
    this.#epoch = JOIN_EPOCH
    this.#beatNow()
  }

  /** Leaves the group, if it is a member. What it had locked is free by then, or soon. */
  async leave(limits: CallLimits): Promise<void> {
    this.#pollTimer?.cancel()
    if (!this.#isMember) return
    this.#isMember = false
    this.#beatTimer?.cancel()
    this.#assign([])
    if (this.#beating !== undefined) await limits.wait(this.#beating)
    await this.#send(LEAVE_EPOCH, limits)
  }

  close(): void {
    this.#isClosed = true
    this.#isMember = false
    this.#pollTimer?.cancel()
    this.#beatTimer?.cancel()
  }

  #expire(): void {
    const { cluster, maxPollIntervalMs, groupId } = this.#options
    const { log } = cluster.environment
    log.warn(
      `no poll within max.poll.interval.ms (${maxPollIntervalMs} ms): leaving share group ` +
        `${groupId}. Poll more often, or with a lower max.poll.records`,
    )
    this.leave(cluster.limits()).catch((error) => log.warn('could not leave the group', error))
  }

  #beatNow(): void {
    this.#beatTimer?.cancel()
    // One that is under way has another follow it: see #beat.
    if (this.#beating !== undefined) return
    this.#beating = this.#beat().finally(() => {
      this.#beating = undefined
    })
  }

  async #beat(): Promise<void> {
    let delayMs: number
    do {
      delayMs = await this.#beatOnce()
    } while (this.#isMember && delayMs === 0)
    if (!this.#isMember) return
    const { clock } = this.#options.cluster.environment
    this.#beatTimer = clock.schedule(delayMs, () => this.#beatNow())
  }

  /** Returns after how many milliseconds the next heartbeat is due. */
  async #beatOnce(): Promise<number> {
    const { cluster } = this.#options
    try {
      const { heartbeatIntervalMs } = await this.#send(this.#epoch, cluster.limits())
      this.#failures = 0
      return this.#isSubscriptionNew ? 0 : Math.max(1, heartbeatIntervalMs)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      if (!this.#isMember) return 0
      if (LOST.includes(error.code)) {
        cluster.environment.log.info(`joining the share group again: ${error.message}`)
        this.#epoch = JOIN_EPOCH
        this.#assign([])
        return cluster.backoff.delayMs(this.#failures++)
      }
      if (error.retriable) return cluster.backoff.delayMs(this.#failures++)
      this.#isMember = false
      this.#error = error
      this.#options.onChange()
      return 0
    }
  }

  async #send(
    memberEpoch: number,
    limits: CallLimits,
  ): Promise<ResponseOf<typeof ShareGroupHeartbeat>> {
    const { groupId, memberId, rack } = this.#options
    const isJoining = memberEpoch === JOIN_EPOCH
    const isTold = isJoining || (this.#isSubscriptionNew && memberEpoch !== LEAVE_EPOCH)
    if (isTold) this.#isSubscriptionNew = false
    const response = await this.#exchange(
      {
        ...{ groupId, memberId, memberEpoch },
        rackId: isJoining && rack !== '' ? rack : null,
        subscribedTopicNames: isTold ? this.#topics : null,
      },
      limits,
    ).catch((error) => {
      // Whether the coordinator has heard of it is unknown.
      if (isTold) this.#isSubscriptionNew = true
      throw error
    })
    this.#options.observer.heartbeat()
    if (memberEpoch === LEAVE_EPOCH || !this.#isMember) return response
    this.#epoch = response.memberEpoch
    const assigned = response.assignment?.topicPartitions
    if (assigned !== undefined) {
      this.#assign(
        assigned.flatMap(({ topicId, partitions }) =>
          partitions.map((partition) => ({ topicId, partition })),
        ),
      )
    }
    return response
  }

  async #exchange(
    request: {
      readonly groupId: string
      readonly memberId: string
      readonly memberEpoch: number
      readonly rackId: string | null
      readonly subscribedTopicNames: readonly string[] | null
    },
    limits: CallLimits,
  ): Promise<ResponseOf<typeof ShareGroupHeartbeat>> {
    const response = await this.#options.cluster.sendToCoordinator(
      ['group', request.groupId],
      ShareGroupHeartbeat,
      request,
      limits,
      { errorOf: ({ errorCode }) => errorCode },
    )
    if (response.errorCode === ErrorCode.NONE) return response
    throw errorForCode(response.errorCode, response.errorMessage)
  }

  #assign(assignment: readonly PartitionId[]): void {
    const { cluster, observer } = this.#options
    const before = this.#assignment
    this.#assignment = assignment
    const without = (all: readonly PartitionId[], others: readonly PartitionId[]) =>
      all
        .filter((each) => !others.some((other) => isSame(each, other)))
        .map(({ topicId, partition }) => {
          return { topic: cluster.metadata.nameOf(topicId) ?? topicId, partition }
        })
    const [gone, come] = [without(before, assignment), without(assignment, before)]
    if (gone.length > 0) observer.rebalanced('revoked', gone)
    if (come.length > 0) observer.rebalanced('assigned', come)
    this.#options.onChange()
  }
}

function isSame(a: PartitionId, b: PartitionId): boolean {
  return a.partition === b.partition && a.topicId === b.topicId
}
