/**
 * Joining a classic group: JoinGroup, in which the coordinator gathers all members, then SyncGroup,
 * in which each is told its assignment, the leader having handed in everybody's.
 *
 * Goes on until the member is `stable`, or until the application has to be asked before another
 * attempt, which the member's `needsPrepare` says. Coordinators that move or fail are looked for
 * again; what only a change of configuration or rights can mend is thrown.
 */
import { ErrorCode, type ErrorName, KafkaError } from '../../../common/errors.ts'
import { encodeConsumerSubscription } from '../../../protocol/consumer-protocol.ts'
import { JoinGroup, type JoinGroupResponse } from '../../../protocol/messages/join-group.ts'
import { SyncGroup } from '../../../protocol/messages/sync-group.ts'
import { errorForCode } from '../../errors.ts'
import { numbersByTopic } from '../../topic-partition.ts'
import type { Assignor } from './assignor.ts'
import type { ClassicHeartbeats } from './classic-heartbeats.ts'
import { fencedInstance } from './classic-heartbeats.ts'
import type { ClassicMember } from './classic-member.ts'
import type { MembershipHost } from './group-membership.ts'
import { notAuthorized } from './group-offsets.ts'
import type { LeaderAssignment } from './leader-assignment.ts'

const PROTOCOL_TYPE = 'consumer'
/** How much longer than a rebalance may take its answer is waited for, as in Java's client. */
const JOIN_LAPSE_MS = 5000
const MAX_REASON_CHARACTERS = 255

/** Errors after which another attempt makes sense though the protocol does not call them so. */
const TRY_AGAIN: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'MEMBER_ID_REQUIRED',
  'REBALANCE_IN_PROGRESS',
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
])

/** A member's place in a generation that is complete. */
export interface JoinedGroup {
  readonly generationId: number
  readonly assignor: Assignor
  /** What the leader made, as it came. */
  readonly assignment: Buffer
  /** What the member subscribed to when it joined. */
  readonly topics: ReadonlySet<string>
}

export class ClassicJoining {
  readonly #host: MembershipHost
  readonly #assignors: readonly Assignor[]
  readonly #member: ClassicMember
  readonly #heartbeats: ClassicHeartbeats
  readonly #leader: LeaderAssignment

  constructor(parts: {
    readonly host: MembershipHost
    readonly assignors: readonly Assignor[]
    readonly member: ClassicMember
    readonly heartbeats: ClassicHeartbeats
    readonly leader: LeaderAssignment
  }) {
    this.#host = parts.host
    this.#assignors = parts.assignors
    this.#member = parts.member
    this.#heartbeats = parts.heartbeats
    this.#leader = parts.leader
  }

  /**
   * Joins. Resolves to undefined where the application has to be asked first. `signal` ends it at
   * once, whatever the coordinator makes of it.
   */
  async run(signal: AbortSignal): Promise<JoinedGroup | undefined> {
    const { cluster, environment } = this.#host
    for (let failures = 0; ; failures++) {
      try {
        return await this.#attempt(signal)
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof KafkaError)) throw error
        environment.log.info(`Joining group ${this.#member.groupId} failed: ${error.message}`)
        const isKnown = TRY_AGAIN.has(error.errorName)
        if (!isKnown && !error.retriable) throw error
        if (error.code !== ErrorCode.MEMBER_ID_REQUIRED) this.#rejoin(error)
        if (this.#member.needsPrepare) return undefined
        if (!isKnown) await cluster.limits({ signal }).sleep(cluster.backoff.delayMs(failures))
      }
    }
  }

  #rejoin(error: KafkaError): void {
    const member = this.#member
    if (member.state !== 'unjoined') member.state = 'joining'
    member.requestRejoin(`rebalance failed due to ${error.errorName}`)
  }

  async #attempt(signal: AbortSignal): Promise<JoinedGroup> {
    const member = this.#member
    const { subscription } = this.#host
    this.#heartbeats.stop()
    this.#leader.resign()
    member.state = 'joining'
    const topics = new Set(subscription.topics)
    const joined = await this.#join(topics, signal)
    member.state = 'syncing'
    member.generationId = joined.generationId
    member.memberId = joined.memberId
    member.protocolName = joined.protocolName
    this.#heartbeats.start()
    const assignor = this.#assignors.find(({ name }) => name === joined.protocolName)
    if (assignor === undefined) {
      const text = `The coordinator chose ${joined.protocolName}, which this member does not have`
      throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', text)
    }
    const assignment = await this.#sync(joined, assignor, signal)
    member.state = 'stable'
    member.needsRejoin = false
    member.rejoinReason = ''
    member.needsPrepare = true
    return { generationId: member.generationId, assignor, assignment, topics }
  }

  async #join(topics: ReadonlySet<string>, signal: AbortSignal): Promise<JoinGroupResponse> {
    const { cluster, config, environment } = this.#host
    const member = this.#member
    const { groupId, memberId, groupInstanceId } = member
    const sent = member.committer
    const rebalanceTimeoutMs = config.get('max.poll.interval.ms')
    const timeoutMs = Math.max(config.get('request.timeout.ms'), rebalanceTimeoutMs + JOIN_LAPSE_MS)
    environment.log.info(`(Re-)joining group ${groupId}: ${member.rejoinReason}`)
    const response = await cluster.sendToCoordinator(
      ['group', groupId],
      JoinGroup,
      {
        ...{ groupId, memberId, groupInstanceId, rebalanceTimeoutMs },
        sessionTimeoutMs: config.get('session.timeout.ms'),
        protocolType: PROTOCOL_TYPE,
        protocols: this.#protocols([...topics]),
        reason: member.rejoinReason.slice(0, MAX_REASON_CHARACTERS),
      },
      // Bringing up the connection takes its own time.
      cluster.limits({ timeoutMs: 2 * timeoutMs, signal }),
      { timeoutMs, errorOf: ({ errorCode }) => errorCode },
    )
    if (response.errorCode === ErrorCode.MEMBER_ID_REQUIRED) member.memberId = response.memberId
    this.#check(response.errorCode, 'JOIN_GROUP', sent)
    checkProtocolType(response.protocolType)
    return response
  }

  async #sync(joined: JoinGroupResponse, assignor: Assignor, signal: AbortSignal): Promise<Buffer> {
    const { cluster } = this.#host
    const { groupId, generationId, memberId, groupInstanceId } = this.#member
    const sent = this.#member.committer
    const limits = cluster.limits({ signal })
    const isLeader = joined.leader === memberId
    const assignments = isLeader ? await this.#leader.assign(joined, assignor, limits) : []
    this.#checkPlace(sent)
    const response = await cluster.sendToCoordinator(
      ['group', groupId],
      SyncGroup,
      {
        ...{ groupId, generationId, memberId, groupInstanceId, assignments },
        ...{ protocolType: PROTOCOL_TYPE, protocolName: joined.protocolName },
      },
      limits,
      { errorOf: ({ errorCode }) => errorCode },
    )
    this.#check(response.errorCode, 'SYNC_GROUP', sent)
    this.#checkPlace(sent)
    checkProtocolType(response.protocolType)
    if (response.protocolName !== null && response.protocolName !== joined.protocolName) {
      const text = `The group chose ${joined.protocolName} and answers ${response.protocolName}`
      throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', text)
    }
    return response.assignment
  }

  /** What each assignor is to know of this member. */
  #protocols(topics: readonly string[]): { name: string; metadata: Buffer }[] {
    const { subscription, config } = this.#host
    const ownedPartitions = numbersByTopic(subscription.assigned()).map(([topic, partitions]) => {
      return { topic, partitions }
    })
    const sorted = topics.toSorted()
    return this.#assignors.map((assignor) => {
      const userData = assignor.subscriptionUserData?.(sorted) ?? null
      const metadata = encodeConsumerSubscription({
        ...{ topics: sorted, userData, ownedPartitions },
        generationId: this.#member.generationId,
        rackId: config.get('client.rack') || null,
      })
      return { name: assignor.name, metadata }
    })
  }

  /** Throws the error for `code`, having noted what it says about the member. */
  #check(code: number, api: string, sent: ClassicMember['committer']): void {
    if (code === ErrorCode.NONE) return
    const member = this.#member
    const { groupId } = member
    const error = errorForCode(code)
    switch (code) {
      case ErrorCode.UNKNOWN_MEMBER_ID:
      case ErrorCode.ILLEGAL_GENERATION:
        if (member.isStill(sent)) {
          const reason = `encountered ${error.errorName} from ${api} response`
          member.reset(reason, code === ErrorCode.ILLEGAL_GENERATION)
        }
        throw error
      case ErrorCode.GROUP_AUTHORIZATION_FAILED:
        throw notAuthorized(groupId)
      case ErrorCode.FENCED_INSTANCE_ID:
        throw fencedInstance(member)
      case ErrorCode.GROUP_MAX_SIZE_REACHED:
        throw errorForCode(
          code,
          `Consumer group ${groupId} already has the configured maximum number of members.`,
        )
      default:
        throw error
    }
  }

  /** Throws if a heartbeat has found out meanwhile that the generation is over. */
  #checkPlace(then: ClassicMember['committer']): void {
    if (this.#member.isStill(then)) return
    throw new KafkaError('ILLEGAL_GENERATION', 'The generation was over before it was complete')
  }
}

function checkProtocolType(protocolType: string | null): void {
  if (protocolType === null || protocolType === PROTOCOL_TYPE) return
  const text = `The group is one of ${protocolType}, not of ${PROTOCOL_TYPE}`
  throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', text)
}
