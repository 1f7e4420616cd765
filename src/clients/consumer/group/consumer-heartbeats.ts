/**
 * ConsumerGroupHeartbeat: one request after another, as often as the coordinator wants, and at once
 * when there is something to tell.
 *
 * A heartbeat says what has changed since the last. The first one says everything, and so does one
 * after a failure, of which nobody knows what has become.
 */
import type { Timer } from '../../../common/clock.ts'
import { ErrorCode, KafkaError } from '../../../common/errors.ts'
import {
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatResponse,
} from '../../../protocol/messages/consumer-group-heartbeat.ts'
import type { CallLimits } from '../../cluster/call-limits.ts'
import { errorForCode } from '../../errors.ts'
import type { ConsumerMember, IdAssignment } from './consumer-member.ts'
import type { MembershipHost } from './group-membership.ts'
import { notAuthorized } from './group-offsets.ts'

/** What the coordinator knows of the member by its last heartbeats. */
interface Told {
  topics: ReadonlySet<string> | undefined
  re2: string | undefined
  owned: IdAssignment | undefined
}

const NOTHING: Told = { topics: undefined, re2: undefined, owned: undefined }
const UNSUPPORTED =
  'The cluster does not support the new consumer group protocol. Set group.protocol=classic to ' +
  'use the classic protocol until the cluster is upgraded.'
const UNSUPPORTED_RE2 =
  'The cluster does not support subscriptions by RE2 expressions. Subscribe to a RegExp, which ' +
  'the client matches, until the cluster is upgraded.'

export class ConsumerHeartbeats {
  readonly #host: MembershipHost
  readonly #member: ConsumerMember
  /** Told of what no further heartbeat helps. */
  readonly #onFailed: (error: KafkaError) => void
  #told: Told = NOTHING
  /** Whether an expression was ever told, which has to be taken back then. */
  #hasToldRe2 = false
  #timer: Timer | undefined
  #isSending = false
  #wantsAnother = false
  #failures = 0
  /** Tells answers to heartbeats apart that were sent before the last `stop`. */
  #round = 0

  constructor(host: MembershipHost, member: ConsumerMember, onFailed: (error: KafkaError) => void) {
    this.#host = host
    this.#member = member
    this.#onFailed = onFailed
  }

  /** Sends one as soon as the one under way, if any, is answered. */
  hurry(): void {
    if (this.#isSending) this.#wantsAnother = true
    else this.#schedule(0)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#isSending = false
    this.#wantsAnother = false
    this.#failures = 0
    this.#told = NOTHING
    this.#round += 1
  }

  /** The last one, with which the member leaves. Never rejects. */
  async leave(memberEpoch: number, limits: CallLimits): Promise<void> {
    this.stop()
    const { cluster, environment } = this.#host
    const { groupId, memberId, groupInstanceId } = this.#member
    try {
      const response = await cluster.sendToCoordinator(
        ['group', groupId],
        ConsumerGroupHeartbeat,
        { groupId, memberId, memberEpoch, instanceId: groupInstanceId },
        limits,
      )
      const { errorCode, errorMessage } = response
      if (errorCode !== ErrorCode.NONE) throw errorForCode(errorCode, errorMessage)
    } catch (error) {
      environment.log.info(`Leaving group ${groupId} failed: ${error}`)
    }
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel()
    const { clock } = this.#host.environment
    this.#timer = clock.schedule(delayMs, () => void this.#beat())
  }

  async #beat(): Promise<void> {
    const round = this.#round
    this.#isSending = true
    this.#wantsAnother = false
    let delayMs: number | undefined
    try {
      const response = await this.#send()
      if (round !== this.#round) return
      delayMs = this.#answered(response)
    } catch (error) {
      if (round !== this.#round) return
      if (!(error instanceof KafkaError)) throw error
      delayMs = this.#failed(error)
    }
    this.#isSending = false
    if (delayMs !== undefined) this.#schedule(this.#wantsAnother ? 0 : delayMs)
  }

  async #send(): Promise<ConsumerGroupHeartbeatResponse> {
    const { cluster } = this.#host
    const { groupId } = this.#member
    const request = this.#request()
    return await cluster.sendToCoordinator(
      ['group', groupId],
      ConsumerGroupHeartbeat,
      request,
      cluster.limits(),
      { errorOf: ({ errorCode }) => errorCode },
    )
  }

  #request() {
    const { subscription, config } = this.#host
    const { groupId, memberId, epoch, groupInstanceId, current, state } = this.#member
    const before = state === 'joining' ? NOTHING : this.#told
    const isFirst = before === NOTHING
    const { topics, re2 } = subscription
    this.#told = { topics, re2, owned: current }
    return {
      ...{ groupId, memberId, memberEpoch: epoch, instanceId: groupInstanceId },
      rackId: isFirst ? config.get('client.rack') || null : null,
      rebalanceTimeoutMs: isFirst ? config.get('max.poll.interval.ms') : -1,
      serverAssignor: isFirst ? config.get('group.remote.assignor') : null,
      subscribedTopicNames: topics === before.topics ? null : [...topics].sort(),
      subscribedTopicRegex: re2 === before.re2 && re2 !== undefined ? null : this.#regex(re2),
      topicPartitions:
        current === before.owned
          ? null
          : [...current].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions] })),
    }
  }

  /** An empty expression takes back the one before. */
  #regex(re2: string | undefined): string | null {
    if (re2 !== undefined) this.#hasToldRe2 = true
    return re2 ?? (this.#hasToldRe2 ? '' : null)
  }

  /** Returns when to send the next, or undefined for not at all. */
  #answered(response: ConsumerGroupHeartbeatResponse): number | undefined {
    const { errorCode, errorMessage, memberId, memberEpoch, assignment } = response
    this.#host.observer.heartbeat()
    if (errorCode !== ErrorCode.NONE) throw errorForCode(errorCode, errorMessage)
    const member = this.#member
    this.#failures = 0
    member.memberId = memberId ?? member.memberId
    member.epoch = memberEpoch
    if (member.state === 'joining') {
      member.state = 'joined'
      this.#host.environment.log.info(`Joined group ${member.groupId} as ${member.memberId}`)
      this.#host.wake()
    }
    if (assignment !== null) {
      member.target = new Map(
        assignment.topicPartitions.map(({ topicId, partitions }) => [topicId, partitions]),
      )
      this.#host.wake()
    }
    return response.heartbeatIntervalMs
  }

  #failed(error: KafkaError): number | undefined {
    const { cluster, environment, subscription } = this.#host
    const member = this.#member
    this.#told = NOTHING
    const delayMs = cluster.backoff.delayMs(this.#failures++)
    switch (error.code) {
      case ErrorCode.FENCED_MEMBER_EPOCH:
      case ErrorCode.UNKNOWN_MEMBER_ID:
        environment.log.info(`Member ${member.memberId} is out of its group: ${error.message}`)
        this.stop()
        member.fence()
        this.#host.wake()
        return undefined
      case ErrorCode.UNSUPPORTED_VERSION: {
        const text = subscription.re2 === undefined ? UNSUPPORTED : UNSUPPORTED_RE2
        return this.#giveUp(new KafkaError('UNSUPPORTED_VERSION', text, { cause: error }))
      }
      case ErrorCode.GROUP_AUTHORIZATION_FAILED:
        return this.#giveUp(notAuthorized(member.groupId))
      default:
        if (!error.retriable) return this.#giveUp(error)
        environment.log.debug(`A heartbeat failed: ${error.message}`)
        // A coordinator that has moved is looked for at once.
        return error.code === ErrorCode.NOT_COORDINATOR && this.#failures === 1 ? 0 : delayMs
    }
  }

  #giveUp(error: KafkaError): undefined {
    this.stop()
    this.#onFailed(error)
  }
}
