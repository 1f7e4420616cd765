/**
 * A static member (KIP-345) comes back after a restart: it takes its predecessor's place, and if
 * the group was stable and the member wants what it wanted before, nobody else notices.
 */
import { ErrorCode } from '../../../common/errors.ts'
import type { CoordinatorResult } from '../../runtime/coordinator-shard.ts'
import type { ClassicGroup } from './classic-group.ts'
import { ClassicMember, type JoinResponse } from './classic-member.ts'
import type { ClassicRebalance } from './classic-rebalance.ts'
import { failedJoin, type Joining, updateMember, waiting } from './joining.ts'

/** From this version on a leader can be told to leave the assignment as it is (KIP-814). */
const SKIP_ASSIGNMENT_VERSION = 9

export function joinStaticMember(
  rebalance: ClassicRebalance,
  group: ClassicGroup,
  predecessorId: string,
  memberId: string,
  joining: Joining,
): CoordinatorResult<JoinResponse> {
  const { context, response } = joining
  const predecessor = group.members.get(predecessorId)!
  const previousLeader = group.leaderId ?? ''
  const member = new ClassicMember({ ...predecessor, ...context, memberId })
  rebalance.dismiss(group, predecessor, ErrorCode.FENCED_INSTANCE_ID)
  group.replace(predecessorId, member)
  updateMember(member, joining)
  rebalance.renewSession(group, member)
  if (group.isIn('CompletingRebalance')) {
    // The leader may be assigning to the predecessor's id at this moment.
    return waiting(response, rebalance.prepare(group))
  }
  if (!group.isIn('Stable')) return waiting(response, rebalance.completeIfAllJoined(group))
  if (group.selectProtocol() !== group.protocolName) {
    return waiting(response, rebalance.prepareOrComplete(group))
  }
  return {
    records: [group.toRecord()],
    response,
    isApplied: true,
    onCommitted: () => {
      member.awaitingJoin = undefined
      response.complete(welcomeBack(group, member, previousLeader, context.apiVersion))
    },
    onFailed: ({ errorName }) => {
      member.awaitingJoin = undefined
      group.replace(memberId, predecessor)
      rebalance.endSession(group, memberId)
      rebalance.renewSession(group, predecessor)
      response.complete(failedJoin(errorName, ''))
    },
  }
}

/**
 * A leader of an older client is given its predecessor as the leader: otherwise it would assign
 * anew, and the others know of no rebalance.
 */
function welcomeBack(
  group: ClassicGroup,
  member: ClassicMember,
  previousLeader: string,
  apiVersion: number,
): JoinResponse {
  const response = group.joinResponse(member.memberId)
  if (apiVersion < SKIP_ASSIGNMENT_VERSION) {
    return { ...response, leader: previousLeader, members: [] }
  }
  return { ...response, skipAssignment: group.isLeader(member.memberId) }
}
