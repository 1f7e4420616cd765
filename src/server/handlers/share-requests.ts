/** What ShareFetch and ShareAcknowledge have in common: who asks, and acknowledgements. */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import type { BrokerServices } from '../broker-services.ts'
import { type AcknowledgementBatch, acknowledgementError } from '../share/acknowledgement.ts'
import type { SessionPartition } from '../share/share-sessions.ts'

interface ShareRequest {
  readonly groupId: string
  readonly memberId: string
  readonly topics: readonly {
    readonly topicId: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly acknowledgementBatches: readonly AcknowledgementBatch[]
    }[]
  }[]
}

/** What has become of the acknowledgements of one partition. */
export interface Acknowledged extends SessionPartition {
  readonly error: KafkaError | undefined
}

/** Stands where no leader has to be named. */
export const NO_LEADER_TO_TELL = { leaderId: 0, leaderEpoch: 0 }

/** That of a UUID in its longest form. */
const MAX_MEMBER_ID_LENGTH = 36

/** Throws INVALID_REQUEST unless it says which group and member it comes from. */
export function checkShareMember<R extends { groupId: string | null; memberId: string | null }>(
  request: R,
): R & { readonly groupId: string; readonly memberId: string } {
  const { groupId, memberId } = request
  if (groupId === null || groupId === '') throw new KafkaError('INVALID_GROUP_ID')
  if (memberId === null || memberId === '' || memberId.length > MAX_MEMBER_ID_LENGTH) {
    throw new KafkaError('INVALID_REQUEST', 'Invalid member id in the request.')
  }
  return { ...request, groupId, memberId }
}

/** Carries out the acknowledgements of a request, each partition by itself. Never rejects. */
export async function acknowledgeAll(
  { sharePartitions }: BrokerServices,
  { groupId, memberId, topics }: ShareRequest,
  mayRenew: boolean,
): Promise<readonly Acknowledged[]> {
  const acknowledge = async (of: SessionPartition, batches: readonly AcknowledgementBatch[]) => {
    try {
      const invalid = acknowledgementError(batches, { mayRenew })
      if (invalid !== undefined) throw invalid
      await sharePartitions.acknowledge(groupId, memberId, of, batches)
      return { ...of, error: undefined }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return { ...of, error }
    }
  }
  return await Promise.all(
    topics.flatMap(({ topicId, partitions }) =>
      partitions
        .filter(({ acknowledgementBatches }) => acknowledgementBatches.length > 0)
        .map(({ partitionIndex, acknowledgementBatches }) =>
          acknowledge({ topicId, partition: partitionIndex }, acknowledgementBatches),
        ),
    ),
  )
}

/** The leader of a partition, for a client that has asked the wrong broker. */
export function currentLeader(
  { metadata }: BrokerServices,
  { topicId, partition }: SessionPartition,
  error: KafkaError | undefined,
): { leaderId: number; leaderEpoch: number } {
  if (error?.code !== ErrorCode.NOT_LEADER_OR_FOLLOWER) return NO_LEADER_TO_TELL
  const known = metadata.topicById(topicId)?.partitions[partition]
  return { leaderId: known?.leader ?? -1, leaderEpoch: known?.leaderEpoch ?? -1 }
}
