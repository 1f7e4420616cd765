/**
 * ConsumerGroupDescribe (versions 0-1): consumer groups of KIP-848 with what their members have and
 * what they are to have. A group of another kind is not found.
 */
import { KafkaError } from '../../common/errors.ts'
import type { DescribedConsumerGroup } from '../../coordinator/group/consumer/describe-group.ts'
import { checkGroupId } from '../../coordinator/group/group-coordinator.ts'
import { ConsumerGroupDescribe } from '../../protocol/messages/consumer-group-describe.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function consumerGroupDescribeHandler({
  groupCoordinator,
}: BrokerServices): RequestHandler<typeof ConsumerGroupDescribe> {
  async function describe(groupId: string): Promise<DescribedConsumerGroup> {
    try {
      checkGroupId(groupId)
      return await groupCoordinator.read(groupId, ({ consumer }) => consumer.describe(groupId))
    } catch (error) {
      if (error instanceof KafkaError) return failed(groupId, error)
      throw error
    }
  }

  return {
    api: ConsumerGroupDescribe,

    async handle({ groupIds }) {
      return { groups: await Promise.all(groupIds.map(describe)) }
    },

    failure({ groupIds }, error) {
      return { groups: groupIds.map((groupId) => failed(groupId, error)) }
    },
  }
}

function failed(groupId: string, { code, message }: KafkaError): DescribedConsumerGroup {
  return {
    ...{ errorCode: code, errorMessage: message, groupId },
    ...{ groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] },
  }
}
