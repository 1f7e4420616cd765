/**
 * Heartbeats of a member of a classic group: from when it has joined until it is out. The next is
 * sent `heartbeat.interval.ms` after the last, or after a back-off where that failed.
 *
 * A coordinator that has not answered for `session.timeout.ms` is looked for anew; whether the
 * member is still in the group, the one that is found will say.
 */
import type { Timer } from '../../../common/clock.ts'
import { ErrorCode, KafkaError } from '../../../common/errors.ts'
import { Heartbeat } from '../../../protocol/messages/heartbeat.ts'
import { errorForCode } from '../../errors.ts'
import type { ClassicMember } from './classic-member.ts'
import type { MembershipHost } from './group-membership.ts'
import { notAuthorized } from './group-offsets.ts'

export class ClassicHeartbeats {
  readonly #host: MembershipHost
  readonly #member: ClassicMember
  /** Told of what no further heartbeat helps. */
  readonly #onFailed: (error: KafkaError) => void
  #timer: Timer | undefined
  #lastAnswerAtMs = 0
  #isRunning = false
  /** Tells answers to heartbeats apart that were sent before the last `start`. */
  #round = 0

  constructor(host: MembershipHost, member: ClassicMember, onFailed: (error: KafkaError) => void) {
    this.#host = host
    this.#member = member
    this.#onFailed = onFailed
  }

  /** The member has joined. */
  start(): void {
    this.stop()
    this.#isRunning = true
    this.#lastAnswerAtMs = this.#nowMs
    this.#schedule(this.#intervalMs)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#isRunning = false
    this.#round += 1
  }

  get #nowMs(): number {
    return this.#host.environment.clock.monotonic()
  }

  get #intervalMs(): number {
    return this.#host.config.get('heartbeat.interval.ms')
  }

  #schedule(delayMs: number): void {
    const { clock } = this.#host.environment
    this.#timer = clock.schedule(Math.max(0, delayMs), () => void this.#beat())
  }

  async #beat(): Promise<void> {
    // A commit may have found out that the member is none any more.
    if (this.#member.state === 'unjoined') return
    const round = this.#round
    const sentAtMs = this.#nowMs
    let hasAnswered = true
    try {
      await this.#send()
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      if (round !== this.#round) return
      hasAnswered = this.#failed(error)
    }
    if (round !== this.#round || !this.#isRunning) return
    if (hasAnswered) {
      this.#lastAnswerAtMs = this.#nowMs
      this.#schedule(sentAtMs + this.#intervalMs - this.#nowMs)
    } else {
      this.#checkSession()
      this.#schedule(this.#host.config.get('retry.backoff.ms'))
    }
  }

  async #send(): Promise<void> {
    const { cluster, config } = this.#host
    const { groupId, generationId, memberId, groupInstanceId } = this.#member
    // A connection on which nothing comes any more must be found out within the session.
    const sessionMs = config.get('session.timeout.ms')
    const timeoutMs = Math.min(config.get('request.timeout.ms'), sessionMs)
    const response = await cluster.sendToCoordinator(
      ['group', groupId],
      Heartbeat,
      { groupId, generationId, memberId, groupInstanceId },
      cluster.limits({ timeoutMs: sessionMs }),
      { timeoutMs, errorOf: ({ errorCode }) => errorCode },
    )
    this.#host.observer.heartbeat()
    if (response.errorCode === ErrorCode.NONE) return
    this.#refused(response.errorCode, { generationId, memberId, groupInstanceId })
  }

  /** Acts on what the coordinator said; throws what is to be tried again or given up over. */
  #refused(code: number, sent: ClassicMember['committer']): void {
    const member = this.#member
    const { log } = this.#host.environment
    switch (code) {
      case ErrorCode.REBALANCE_IN_PROGRESS:
        // While it joins, that is no news.
        if (member.state !== 'stable') return
        log.info('The group is rebalancing: joining again')
        member.requestRejoin('group is already rebalancing')
        this.#host.wake()
        return
      case ErrorCode.ILLEGAL_GENERATION:
      case ErrorCode.UNKNOWN_MEMBER_ID: {
        // The answer may be about a generation that is over here as well.
        if (!member.isStill(sent)) return
        const { errorName } = errorForCode(code)
        log.info(`A heartbeat was answered with ${errorName}: joining again`)
        const reason = `encountered ${errorName} from HEARTBEAT response`
        member.reset(reason, code === ErrorCode.ILLEGAL_GENERATION)
        this.stop()
        this.#host.wake()
        return
      }
      case ErrorCode.GROUP_AUTHORIZATION_FAILED:
        throw notAuthorized(member.groupId)
      case ErrorCode.FENCED_INSTANCE_ID:
        if (!member.isStill(sent)) return
        throw fencedInstance(member)
      default:
        throw errorForCode(code)
    }
  }

  /** Returns whether the coordinator has been heard of at least. */
  #failed(error: KafkaError): boolean {
    const isFinal =
      error.code === ErrorCode.FENCED_INSTANCE_ID ||
      error.code === ErrorCode.GROUP_AUTHORIZATION_FAILED
    if (!isFinal) {
      this.#host.environment.log.debug(`A heartbeat failed: ${error.message}`)
      return false
    }
    this.stop()
    this.#onFailed(error)
    return true
  }

  #checkSession(): void {
    const { cluster, config, environment } = this.#host
    if (this.#nowMs - this.#lastAnswerAtMs < config.get('session.timeout.ms')) return
    this.#lastAnswerAtMs = this.#nowMs
    environment.log.info('The session timed out without an answer to a heartbeat')
    cluster.coordinators.noteError('group', this.#member.groupId, ErrorCode.NOT_COORDINATOR)
  }
}

/** The error of a static member whose instance id somebody else has taken. */
export function fencedInstance({ groupInstanceId, memberId }: ClassicMember): KafkaError {
  const text =
    `The group.instance.id ${groupInstanceId} has been taken by another member; ` +
    `this consumer, member ${memberId}, is fenced`
  return new KafkaError('FENCED_INSTANCE_ID', text)
}
