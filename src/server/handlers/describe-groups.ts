/**
 * DescribeGroups (versions 0-6): classic groups with their members. A group that is not there, or
 * is of another kind, is "Dead"; version 6 also says why (KIP-1043).
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { DescribeGroups } from '../../protocol/messages/describe-groups.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

type DescribedGroup = ResponseInput<typeof DescribeGroups>['groups'][number]

const GROUP_ID_NOT_FOUND_VERSION = 6

export function describeGroupsHandler({
  groupCoordinator,
}: BrokerServices): RequestHandler<typeof DescribeGroups> {
  async function describe(groupId: string, apiVersion: number): Promise<DescribedGroup> {
    try {
      const ask = groupCoordinator.read(groupId, ({ classic }) => classic.describe(groupId))
      const group = await ask
      const isFound = group.errorCode === ErrorCode.NONE
      if (isFound || apiVersion >= GROUP_ID_NOT_FOUND_VERSION) return group
      return { ...group, errorCode: ErrorCode.NONE, errorMessage: null }
    } catch (error) {
      if (error instanceof KafkaError) return failed(groupId, error)
      throw error
    }
  }

  return {
    api: DescribeGroups,

    async handle({ groups }, { apiVersion }) {
      return { groups: await Promise.all(groups.map((groupId) => describe(groupId, apiVersion))) }
    },

    failure({ groups }, error) {
      return { groups: groups.map((groupId) => failed(groupId, error)) }
    },
  }
}

function failed(groupId: string, error: KafkaError): DescribedGroup {
  const names = { groupId, groupState: '', protocolType: '', protocolData: '' }
  return { ...names, errorCode: error.code, members: [] }
}
