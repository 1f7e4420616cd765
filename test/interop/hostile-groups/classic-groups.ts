/** Classic groups, and finding a group's coordinator. */
import { FindCoordinator } from '../../../src/protocol/messages/find-coordinator.ts'
import { Heartbeat } from '../../../src/protocol/messages/heartbeat.ts'
import { JoinGroup } from '../../../src/protocol/messages/join-group.ts'
import { LeaveGroup } from '../../../src/protocol/messages/leave-group.ts'
import { SyncGroup } from '../../../src/protocol/messages/sync-group.ts'
import { ask, subscription } from './case.ts'

const range = [{ name: 'range', metadata: subscription }]
const joining = {
  groupId: 'new',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 10_000,
  memberId: '',
  protocolType: 'consumer',
  protocols: range,
}
const syncing = { protocolType: 'consumer', protocolName: 'range', assignments: [] }

export const classicGroupCases = [
  ask(
    'a key type that there is not',
    FindCoordinator,
    4,
    () => ({ keyType: 9, coordinatorKeys: ['a'] }),
    'INVALID_REQUEST',
  ),
  ask(
    'a share partition named wrongly',
    FindCoordinator,
    6,
    () => ({ keyType: 2, coordinatorKeys: ['a'] }),
    'INVALID_REQUEST',
  ),

  ask('no group id', JoinGroup, 9, () => ({ ...joining, groupId: '' }), 'INVALID_GROUP_ID'),
  ask(
    'a session too short',
    JoinGroup,
    9,
    () => ({ ...joining, sessionTimeoutMs: 1 }),
    'INVALID_SESSION_TIMEOUT',
  ),
  ask(
    'a session too long',
    JoinGroup,
    9,
    () => ({ ...joining, sessionTimeoutMs: 2 ** 31 - 1 }),
    'INVALID_SESSION_TIMEOUT',
  ),
  ask(
    'a member that nobody knows',
    JoinGroup,
    9,
    () => ({ ...joining, memberId: 'x' }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'no protocols',
    JoinGroup,
    9,
    () => ({ ...joining, protocols: [] }),
    'INCONSISTENT_GROUP_PROTOCOL',
  ),
  ask(
    'no protocol type',
    JoinGroup,
    9,
    () => ({ ...joining, protocolType: '' }),
    'INCONSISTENT_GROUP_PROTOCOL',
  ),
  ask(
    'another protocol than the others',
    JoinGroup,
    9,
    ({ live }) => ({
      ...joining,
      groupId: live.groupId,
      protocols: [{ name: 'other', metadata: subscription }],
    }),
    'INCONSISTENT_GROUP_PROTOCOL',
  ),
  ask(
    'another protocol type',
    JoinGroup,
    5,
    ({ live }) => ({ ...joining, groupId: live.groupId, protocolType: 'connect' }),
    'INCONSISTENT_GROUP_PROTOCOL',
  ),
  ask(
    'no group id',
    SyncGroup,
    5,
    () => ({ groupId: '', generationId: 1, memberId: 'x', ...syncing }),
    'INVALID_GROUP_ID',
  ),
  ask(
    'a group that there is not',
    SyncGroup,
    5,
    () => ({ groupId: 'none', generationId: 1, memberId: 'x', ...syncing }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'a member that nobody knows',
    SyncGroup,
    5,
    ({ live }) => ({ ...live, memberId: 'x', ...syncing }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'a generation to come',
    SyncGroup,
    5,
    ({ live }) => ({ ...live, generationId: 99, ...syncing }),
    'ILLEGAL_GENERATION',
  ),
  ask(
    'without the protocol',
    SyncGroup,
    5,
    ({ live }) => ({ ...live, assignments: [] }),
    'INCONSISTENT_GROUP_PROTOCOL',
  ),
  ask(
    'another protocol',
    SyncGroup,
    5,
    ({ live }) => ({ ...live, ...syncing, protocolName: 'other' }),
    'INCONSISTENT_GROUP_PROTOCOL',
  ),
  ask(
    'no group id',
    Heartbeat,
    4,
    () => ({ groupId: '', generationId: 1, memberId: 'x' }),
    'INVALID_GROUP_ID',
  ),
  ask(
    'a group that there is not',
    Heartbeat,
    4,
    () => ({ groupId: 'none', generationId: 1, memberId: 'x' }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'an old generation',
    Heartbeat,
    4,
    ({ live }) => ({ ...live, generationId: 0 }),
    'ILLEGAL_GENERATION',
  ),
  ask(
    'an instance that nobody knows',
    Heartbeat,
    4,
    ({ live }) => ({ ...live, groupInstanceId: 'x' }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'a group that there is not',
    LeaveGroup,
    5,
    () => ({ groupId: 'none', members: [{ memberId: 'x' }] }),
    'NONE',
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'a member that nobody knows',
    LeaveGroup,
    1,
    ({ live }) => ({ groupId: live.groupId, memberId: 'x' }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'members that nobody knows',
    LeaveGroup,
    5,
    ({ live }) => ({
      groupId: live.groupId,
      members: [{ memberId: 'x' }, { memberId: '', groupInstanceId: 'y' }],
    }),
    'NONE',
    'UNKNOWN_MEMBER_ID',
    'UNKNOWN_MEMBER_ID',
  ),
]
