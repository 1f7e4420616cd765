/** Describing, listing and deleting groups. */
import { DeleteGroups } from '../../../src/protocol/messages/delete-groups.ts'
import { DescribeGroups } from '../../../src/protocol/messages/describe-groups.ts'
import { ListGroups } from '../../../src/protocol/messages/list-groups.ts'
import { ask } from './case.ts'

export const groupAdministrationCases = [
  ask('a group that there is not', DescribeGroups, 5, () => ({ groups: ['none'] }), 'NONE'),
  ask(
    'a group that there is not',
    DescribeGroups,
    6,
    () => ({ groups: ['none'] }),
    'GROUP_ID_NOT_FOUND',
  ),
  ask(
    'a group of another kind',
    DescribeGroups,
    6,
    ({ modern }) => ({ groups: [modern.groupId] }),
    'GROUP_ID_NOT_FOUND',
  ),
  ask('no group id', DescribeGroups, 6, () => ({ groups: [''] }), 'GROUP_ID_NOT_FOUND'),
  ask(
    'states and types that there are not',
    ListGroups,
    5,
    () => ({ statesFilter: ['Nowhere'], typesFilter: ['none'] }),
    'NONE',
  ),
  ask(
    'groups at work, unknown, without a name',
    DeleteGroups,
    2,
    ({ live, modern }) => ({ groupsNames: [live.groupId, modern.groupId, 'none', ''] }),
    'NON_EMPTY_GROUP',
    'NON_EMPTY_GROUP',
    'GROUP_ID_NOT_FOUND',
    'GROUP_ID_NOT_FOUND',
  ),
]
