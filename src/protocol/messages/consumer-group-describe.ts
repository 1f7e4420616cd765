/**
 * ConsumerGroupDescribe describes groups of KIP-848 with what each member has and what it is to
 * have.
 *
 * 1 tells members of the classic protocol from others (KIP-1099).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int8, int16, int32, string, struct, uuid } from '../schema.ts'

const assignment = struct({
  topicPartitions: array({ topicId: uuid(), topicName: string(), partitions: array(int32()) }),
})

export const ConsumerGroupDescribe = api({
  key: 69,
  name: 'ConsumerGroupDescribe',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupIds: array(string()),
    includeAuthorizedOperations: bool(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    groups: array({
      errorCode: int16(),
      errorMessage: string({ nullable: '0+', default: null }),
      groupId: string(),
      groupState: string(),
      groupEpoch: int32(),
      assignmentEpoch: int32(),
      assignorName: string(),
      members: array({
        memberId: string(),
        instanceId: string({ nullable: '0+', default: null }),
        rackId: string({ nullable: '0+', default: null }),
        memberEpoch: int32(),
        clientId: string(),
        clientHost: string(),
        subscribedTopicNames: array(string()),
        subscribedTopicRegex: string({ nullable: '0+', default: null }),
        assignment,
        targetAssignment: assignment,
        /** -1: unknown; 0: classic; 1: consumer. */
        memberType: int8({ versions: '1+', default: -1, ignorable: true }),
      }),
      authorizedOperations: int32({ default: -2147483648 }),
    }),
  },
})

export interface ConsumerGroupDescribeRequest extends RequestOf<typeof ConsumerGroupDescribe> {}
export interface ConsumerGroupDescribeResponse extends ResponseOf<typeof ConsumerGroupDescribe> {}
