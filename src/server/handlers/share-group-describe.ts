/** ShareGroupDescribe (version 1): the members of share groups and what they have (KIP-932). */
import { KafkaError } from '../../common/errors.ts'
import { checkGroupId } from '../../coordinator/group/group-coordinator.ts'
import { ShareGroupDescribe } from '../../protocol/messages/share-group-describe.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function shareGroupDescribeHandler({
  shareGroups,
}: BrokerServices): RequestHandler<typeof ShareGroupDescribe> {
  async function describe(groupId: string) {
    try {
      checkGroupId(groupId)
      return await shareGroups.describe(groupId)
    } catch (error) {
      if (error instanceof KafkaError) return failed(groupId, error)
      throw error
    }
  }

  return {
    api: ShareGroupDescribe,

    async handle({ groupIds }) {
      return { groups: await Promise.all(groupIds.map(describe)) }
    },

    failure({ groupIds }, error) {
      return { groups: groupIds.map((groupId) => failed(groupId, error)) }
    },
  }
}

function failed(groupId: string, error: KafkaError) {
  return {
    ...{ errorCode: error.code, errorMessage: error.message, groupId },
    ...{ groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] },
  }
}
