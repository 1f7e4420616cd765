/**
 * TxnOffsetCommit (versions 0-5): stores how far a group has read as part of a producer's
 * transaction; it counts when that commits. Partitions that do not exist are refused one by one.
 *
 * The group's partition of the offsets topic must belong to the transaction. Until version 4
 * AddOffsetsToTxn has seen to that, and here it is only checked; from 5 on it is done here
 * (KIP-890). Before version 2, COORDINATOR_LOAD_IN_PROGRESS crashed some clients:
 * COORDINATOR_NOT_AVAILABLE.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { CONSUMER_OFFSETS_TOPIC, checkGroupId } from '../../coordinator/group/group-coordinator.ts'
import {
  TxnOffsetCommit,
  type TxnOffsetCommitRequest,
} from '../../protocol/messages/txn-offset-commit.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'
import type { TransactionSupport } from '../transaction/transaction-verification.ts'

type Topics = TxnOffsetCommitRequest['topics']

export function txnOffsetCommitHandler({
  groupCoordinator,
  transactionVerification,
  metadata,
}: BrokerServices): RequestHandler<typeof TxnOffsetCommit> {
  const exists = (topic: string, partition: number) =>
    metadata.topic(topic)?.partitions[partition] !== undefined

  /** The error code of each partition of `topics`, under `topic-partition`. */
  async function commit(request: TxnOffsetCommitRequest, topics: Topics, apiVersion: number) {
    const { groupId, producerId, producerEpoch, transactionalId } = request
    checkGroupId(groupId)
    const partitionIndex = groupCoordinator.partitionFor(groupId)
    await transactionVerification.verify(
      { transactionalId, producerId, producerEpoch, support: supportOf(apiVersion) },
      { topic: CONSUMER_OFFSETS_TOPIC, partitionIndex },
    )
    const { memberId, groupInstanceId, generationId: generationIdOrMemberEpoch } = request
    const member = { memberId, groupInstanceId, generationIdOrMemberEpoch }
    const committer = { ...member, isTransactional: true, apiVersion }
    const results = await groupCoordinator.writeTransactional(
      groupId,
      { producerId, producerEpoch },
      (shard) => shard.commitOffsets({ groupId, topics, committer }),
    )
    const codes = new Map<string, number>()
    for (const { name, partitions } of results) {
      for (const result of partitions) codes.set(nameOf(name, result), result.errorCode)
    }
    return codes
  }

  return {
    api: TxnOffsetCommit,

    async handle(request, { apiVersion }) {
      const topics = request.topics
        .map(({ name, partitions }) => ({
          name,
          partitions: partitions.filter(({ partitionIndex }) => exists(name, partitionIndex)),
        }))
        .filter(({ partitions }) => partitions.length > 0)
      if (topics.length === 0) return answer(request, () => ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      try {
        const codes = await commit(request, topics, apiVersion)
        return answer(request, (name) => codes.get(name) ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        const code = codeFor(error, apiVersion)
        return answer(request, (_name, topic, partition) =>
          exists(topic, partition) ? code : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        )
      }
    },

    failure(request, error) {
      return answer(request, () => error.code)
    },
  }
}

/** From version 4 on clients know TRANSACTION_ABORTABLE. */
function supportOf(version: number): TransactionSupport {
  if (version >= 5) return 'add'
  return version >= 4 ? 'abortable' : 'legacy'
}

/** Producers know generations only, also of groups whose members have epochs. */
function codeFor(error: KafkaError, version: number): number {
  if (error.errorName === 'STALE_MEMBER_EPOCH') return ErrorCode.ILLEGAL_GENERATION
  if (error.errorName === 'COORDINATOR_LOAD_IN_PROGRESS' && version < 2) {
    return ErrorCode.COORDINATOR_NOT_AVAILABLE
  }
  return error.code
}

function answer(
  { topics }: TxnOffsetCommitRequest,
  codeOf: (name: string, topic: string, partition: number) => number,
) {
  return {
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((partition) => ({
        partitionIndex: partition.partitionIndex,
        errorCode: codeOf(nameOf(name, partition), name, partition.partitionIndex),
      })),
    })),
  }
}

function nameOf(topic: string, { partitionIndex }: { partitionIndex: number }): string {
  return `${topic}-${partitionIndex}`
}
