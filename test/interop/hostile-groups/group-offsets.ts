/** Committed offsets. */
import { OffsetCommit } from '../../../src/protocol/messages/offset-commit.ts'
import { OffsetDelete } from '../../../src/protocol/messages/offset-delete.ts'
import { OffsetFetch } from '../../../src/protocol/messages/offset-fetch.ts'
import { ask, noId, offset, offsetIn } from './case.ts'

export const groupOffsetCases = [
  ask(
    'a topic that there is not',
    OffsetCommit,
    8,
    () => ({
      groupId: 'simple',
      memberId: '',
      topics: [{ name: 'none', partitions: [{ partitionIndex: 0, ...offset }] }],
    }),
    'UNKNOWN_TOPIC_OR_PARTITION',
  ),
  ask(
    'a partition that there is not',
    OffsetCommit,
    8,
    ({ topic }) => ({
      groupId: 'simple',
      memberId: '',
      topics: [
        {
          name: topic,
          partitions: [
            { partitionIndex: 2, ...offset },
            { partitionIndex: -1, ...offset },
          ],
        },
      ],
    }),
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ),
  ask(
    'a topic id that there is not',
    OffsetCommit,
    10,
    () => ({
      groupId: 'simple',
      memberId: '',
      topics: [{ topicId: noId, partitions: [{ partitionIndex: 0, ...offset }] }],
    }),
    'UNKNOWN_TOPIC_ID',
  ),
  ask(
    'far too much metadata',
    OffsetCommit,
    8,
    ({ topic }) => ({
      groupId: 'simple',
      memberId: '',
      topics: [
        {
          name: topic,
          partitions: [
            { partitionIndex: 0, ...offset, committedMetadata: 'x'.repeat(4097) },
            { partitionIndex: 1, ...offset, committedMetadata: 'x'.repeat(4096) },
          ],
        },
      ],
    }),
    'OFFSET_METADATA_TOO_LARGE',
    'NONE',
  ),
  ask(
    'a generation of no group',
    OffsetCommit,
    8,
    ({ topic }) => ({
      groupId: 'none',
      memberId: 'x',
      generationIdOrMemberEpoch: 3,
      topics: offsetIn(topic),
    }),
    'ILLEGAL_GENERATION',
  ),
  ask(
    'a generation of no group',
    OffsetCommit,
    9,
    ({ topic }) => ({
      groupId: 'none',
      memberId: 'x',
      generationIdOrMemberEpoch: 3,
      topics: offsetIn(topic),
    }),
    'GROUP_ID_NOT_FOUND',
  ),
  ask(
    'an old generation',
    OffsetCommit,
    8,
    ({ topic, live }) => ({
      groupId: live.groupId,
      memberId: live.memberId,
      generationIdOrMemberEpoch: 0,
      topics: offsetIn(topic),
    }),
    'ILLEGAL_GENERATION',
  ),
  ask(
    'from outside into a group at work',
    OffsetCommit,
    8,
    ({ topic, live }) => ({
      groupId: live.groupId,
      memberId: '',
      topics: offsetIn(topic),
    }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'an old member epoch',
    OffsetCommit,
    9,
    ({ topic, modern }) => ({
      groupId: modern.groupId,
      memberId: modern.memberId,
      generationIdOrMemberEpoch: modern.epoch - 1,
      topics: offsetIn(topic),
    }),
    'STALE_MEMBER_EPOCH',
  ),
  ask(
    'a member epoch to come',
    OffsetCommit,
    9,
    ({ topic, modern }) => ({
      groupId: modern.groupId,
      memberId: modern.memberId,
      generationIdOrMemberEpoch: 99,
      topics: offsetIn(topic),
    }),
    'STALE_MEMBER_EPOCH',
  ),
  ask(
    'a consumer group, by a version from before',
    OffsetCommit,
    8,
    ({ topic, modern }) => ({
      groupId: modern.groupId,
      memberId: modern.memberId,
      generationIdOrMemberEpoch: modern.epoch,
      topics: offsetIn(topic),
    }),
    'UNSUPPORTED_VERSION',
  ),
  ask(
    'a group that there is not',
    OffsetFetch,
    8,
    ({ topic }) => ({
      groups: [{ groupId: 'none', topics: [{ name: topic, partitionIndexes: [0, 7] }] }],
    }),
    'NONE',
    'NONE',
    'NONE',
  ),
  ask('no topics', OffsetFetch, 8, () => ({ groups: [{ groupId: 'none', topics: [] }] }), 'NONE'),
  ask(
    'a topic id that there is not',
    OffsetFetch,
    10,
    ({ live }) => ({
      groups: [{ groupId: live.groupId, topics: [{ topicId: noId, partitionIndexes: [0] }] }],
    }),
    'NONE',
    'UNKNOWN_TOPIC_ID',
  ),
  ask(
    'an old member epoch',
    OffsetFetch,
    9,
    ({ topic, modern }) => ({
      groups: [
        {
          groupId: modern.groupId,
          memberId: modern.memberId,
          memberEpoch: 99,
          topics: [{ name: topic, partitionIndexes: [0] }],
        },
      ],
    }),
    'STALE_MEMBER_EPOCH',
  ),
  ask(
    'a member that nobody knows',
    OffsetFetch,
    9,
    ({ topic, modern }) => ({
      groups: [
        {
          groupId: modern.groupId,
          memberId: 'x',
          memberEpoch: 1,
          topics: [{ name: topic, partitionIndexes: [0] }],
        },
      ],
    }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'a group that there is not',
    OffsetDelete,
    0,
    ({ topic }) => ({
      groupId: 'none',
      topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }],
    }),
    'GROUP_ID_NOT_FOUND',
  ),
  ask(
    'a topic that members read',
    OffsetDelete,
    0,
    ({ topic, live }) => ({
      groupId: live.groupId,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }],
    }),
    'NONE',
    'GROUP_SUBSCRIBED_TO_TOPIC',
  ),
  ask('no group id', OffsetDelete, 0, () => ({ groupId: '', topics: [] }), 'INVALID_GROUP_ID'),
]
