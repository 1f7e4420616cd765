/**
 * DescribeShareGroupOffsets (versions 0-1): how far share groups have got with their partitions
 * (KIP-932). Version 1 adds the lag: what is neither done with nor below the start (KIP-1226).
 */
import { KafkaError } from '../../common/errors.ts'
import { checkGroupId } from '../../coordinator/group/group-coordinator.ts'
import {
  DescribeShareGroupOffsets,
  type DescribeShareGroupOffsetsRequest,
} from '../../protocol/messages/describe-share-group-offsets.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

type AskedGroup = DescribeShareGroupOffsetsRequest['groups'][number]

export function describeShareGroupOffsetsHandler({
  shareGroups,
}: BrokerServices): RequestHandler<typeof DescribeShareGroupOffsets> {
  async function describe({ groupId, topics }: AskedGroup) {
    try {
      checkGroupId(groupId)
      return await shareGroups.describeOffsets(groupId, topics)
    } catch (error) {
      if (error instanceof KafkaError) return failed(groupId, error)
      throw error
    }
  }

  return {
    api: DescribeShareGroupOffsets,

    async handle({ groups }) {
      return { groups: await Promise.all(groups.map(describe)) }
    },

    failure({ groups }, error) {
      return { groups: groups.map(({ groupId }) => failed(groupId, error)) }
    },
  }
}

function failed(groupId: string, { code, message }: KafkaError) {
  return { groupId, topics: [], errorCode: code, errorMessage: message }
}
