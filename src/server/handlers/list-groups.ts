/**
 * ListGroups (versions 0-5): the groups that this broker coordinates, of all kinds; from version 4
 * on those in some states only (KIP-518), from 5 on those of some types (KIP-848). States and types
 * may be written in any case; one that does not exist is that of no group.
 */
import { ErrorCode } from '../../common/errors.ts'
import { ListGroups } from '../../protocol/messages/list-groups.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function listGroupsHandler({
  groupCoordinator,
}: BrokerServices): RequestHandler<typeof ListGroups> {
  return {
    api: ListGroups,

    async handle({ statesFilter, typesFilter }) {
      const states = new Set(statesFilter.map((state) => state.toLowerCase()))
      const types = new Set(typesFilter.map((type) => type.toLowerCase()))
      const groups = await groupCoordinator.readAll((shard) => shard.list(states, types))
      return { errorCode: ErrorCode.NONE, groups: groups.flat() }
    },

    failure(_request, error) {
      return { errorCode: error.code, groups: [] }
    },
  }
}
