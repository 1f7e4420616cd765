/**
 * ListGroups lists the groups that this broker coordinates.
 *
 * 4 adds states and a filter by them (KIP-518), 5 types likewise (KIP-848); an empty filter lets
 * all through.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, string } from '../schema.ts'

export const ListGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: '0-5',
  flexible: '3+',
  request: {
    statesFilter: array(string(), { versions: '4+' }),
    typesFilter: array(string(), { versions: '5+' }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string({ versions: '4+', ignorable: true }),
      groupType: string({ versions: '5+', ignorable: true }),
    }),
  },
})

export interface ListGroupsRequest extends RequestOf<typeof ListGroups> {}
export interface ListGroupsResponse extends ResponseOf<typeof ListGroups> {}
