/** ConsumerGroupDescribe, of one group. */
import { ErrorCode } from '../../../common/errors.ts'
import type { ConsumerGroupDescribe } from '../../../protocol/messages/consumer-group-describe.ts'
import type { ResponseInput } from '../../../protocol/schema.ts'
import type { Group } from '../group.ts'
import type { TopicImage } from '../topic-image.ts'
import { type Assignment, fromAssignment } from './assignment.ts'
import type { PartitionAssignor } from './assignors/partition-assignor.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerGroupMember, usesClassicProtocol } from './consumer-group-member.ts'
import { preferredAssignor } from './group-change.ts'

export type DescribedConsumerGroup = ResponseInput<typeof ConsumerGroupDescribe>['groups'][number]

type DescribedMember = DescribedConsumerGroup['members'][number]

const CLASSIC_MEMBER = 0
const CONSUMER_MEMBER = 1

/** GROUP_ID_NOT_FOUND for what is no consumer group. */
export function describeGroup(
  groupId: string,
  group: Group | undefined,
  topics: TopicImage,
  assignors: readonly PartitionAssignor[],
): DescribedConsumerGroup {
  if (!(group instanceof ConsumerGroup)) {
    const problem = group === undefined ? 'not found' : 'is not a consumer group'
    return {
      errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
      errorMessage: `Group ${groupId} ${problem}.`,
      ...{ groupId, groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '' },
      members: [],
    }
  }
  return {
    errorCode: ErrorCode.NONE,
    groupId,
    groupState: group.stateName,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: preferredAssignor(group.members.values(), assignors).name,
    members: [...group.members.values()].map((member) => describeMember(group, member, topics)),
  }
}

function describeMember(
  group: ConsumerGroup,
  member: ConsumerGroupMember,
  topics: TopicImage,
): DescribedMember {
  const { memberId, instanceId, rackId, memberEpoch, clientId, clientHost } = member
  return {
    ...{ memberId, instanceId, rackId, memberEpoch, clientId, clientHost },
    subscribedTopicNames: member.subscribedTopicNames,
    subscribedTopicRegex: member.subscribedTopicRegex ?? '',
    assignment: describeAssignment(member.assignedPartitions, topics),
    targetAssignment: describeAssignment(group.target(memberId), topics),
    memberType: usesClassicProtocol(member) ? CLASSIC_MEMBER : CONSUMER_MEMBER,
  }
}

/** Topics that are gone are left out. */
function describeAssignment(assignment: Assignment, topics: TopicImage) {
  const topicPartitions = fromAssignment(assignment).flatMap(({ topicId, partitions }) => {
    const topicName = topics.topicName(topicId)
    return topicName === undefined ? [] : [{ topicId, topicName, partitions }]
  })
  return { topicPartitions }
}
