/** A JoinGroup under way, and the ways in which it ends. */
import type { Completion } from '../../../common/completion.ts'
import { ErrorCode, type KafkaError } from '../../../common/errors.ts'
import type { JoinGroupRequest } from '../../../protocol/messages/join-group.ts'
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import type { CoordinatorResult } from '../../runtime/coordinator-shard.ts'
import type { ClassicMember, JoinResponse, MemberProtocol } from './classic-member.ts'

/** Who sends a request. */
export interface MemberContext {
  readonly clientId: string
  /** As `/127.0.0.1`. */
  readonly clientHost: string
  readonly apiVersion: number
}

/** A JoinGroup under way. */
export interface Joining {
  readonly request: JoinGroupRequest
  readonly context: MemberContext
  readonly protocols: readonly MemberProtocol[]
  readonly response: Completion<JoinResponse>
}

/** Takes over what a member says when it joins again. */
export function updateMember(member: ClassicMember, { request, protocols, response }: Joining) {
  // A client that gave up on its last request waits for this one only.
  member.awaitingJoin?.complete(failedJoin('UNKNOWN_MEMBER_ID', member.memberId))
  member.awaitingJoin = response
  member.protocols = protocols
  member.rebalanceTimeoutMs = rebalanceTimeoutOf(request)
  member.sessionTimeoutMs = request.sessionTimeoutMs
}

export function waiting<R>(
  response: Completion<R>,
  records: readonly CoordinatorRecord[],
): CoordinatorResult<R> {
  return { records, response, isApplied: true }
}

export function failedJoin(
  error: ConstructorParameters<typeof KafkaError>[0],
  memberId: string,
): JoinResponse {
  const errorCode = ErrorCode[error]
  return { errorCode, memberId, protocolName: null, leader: '', members: [] }
}

/** -1: a client from before KIP-62, whose session timeout is both. */
export function rebalanceTimeoutOf({
  rebalanceTimeoutMs,
  sessionTimeoutMs,
}: JoinGroupRequest): number {
  return rebalanceTimeoutMs === -1 ? sessionTimeoutMs : rebalanceTimeoutMs
}
