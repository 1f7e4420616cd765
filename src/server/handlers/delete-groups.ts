/**
 * DeleteGroups (versions 0-2): deletes groups without members, with all their offsets (KIP-229).
 */
import { KafkaError } from '../../common/errors.ts'
import { DeleteGroups } from '../../protocol/messages/delete-groups.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function deleteGroupsHandler({
  groupCoordinator,
  shareGroups,
}: BrokerServices): RequestHandler<typeof DeleteGroups> {
  async function deleteOne(groupId: string): Promise<{ groupId: string; errorCode: number }> {
    try {
      await shareGroups.prepareToDelete(groupId)
      const deleting = groupCoordinator.write(groupId, (shard) => shard.delete(groupId))
      return { groupId, errorCode: await deleting }
    } catch (error) {
      if (error instanceof KafkaError) return { groupId, errorCode: error.code }
      throw error
    }
  }

  return {
    api: DeleteGroups,

    async handle({ groupsNames }) {
      return { results: await Promise.all([...new Set(groupsNames)].map(deleteOne)) }
    },

    failure({ groupsNames }, { code: errorCode }) {
      return { results: groupsNames.map((groupId) => ({ groupId, errorCode })) }
    },
  }
}
