/**
 * AddPartitionsToTxn (versions 0-5): makes partitions part of a producer's transaction. Up to
 * version 3 a client asks, for one transaction; from 4 on brokers do, for several, and may only
 * want to know what is part of it (`verifyOnly`, KIP-890).
 *
 * All partitions of a transaction are added, or none: where one does not exist, the others get
 * OPERATION_NOT_ATTEMPTED. Before version 2, PRODUCER_FENCED is called INVALID_PRODUCER_EPOCH.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { TRANSACTION_V2 } from '../../coordinator/transaction/transaction-metadata.ts'
import {
  AddPartitionsToTxn,
  type AddPartitionsToTxnRequest,
} from '../../protocol/messages/add-partitions-to-txn.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'
import { fencedErrorCode } from '../transaction/transaction-errors.ts'

const FIRST_BATCHED_VERSION = 4
const FIRST_V2_VERSION = 5

type Transaction = AddPartitionsToTxnRequest['transactions'][number]
type Topics = readonly { name: string; partitions: readonly number[] }[]

export function addPartitionsToTxnHandler({
  transactionCoordinator,
  metadata,
}: BrokerServices): RequestHandler<typeof AddPartitionsToTxn> {
  const exists = (topic: string, partition: number) =>
    metadata.topic(topic)?.partitions[partition] !== undefined

  /** The error code of each partition, by topic. */
  async function handleTransaction(transaction: Transaction, version: number) {
    const { transactionalId, producerId, producerEpoch, topics } = transaction
    const isMissing = topics.some(({ name, partitions }) =>
      partitions.some((partition) => !exists(name, partition)),
    )
    if (isMissing) return results(topics, (...partition) => notAttempted(exists(...partition)))
    const partitions = topics.flatMap((topic) =>
      topic.partitions.map((partitionIndex) => ({ topic: topic.name, partitionIndex })),
    )
    const request = {
      ...{ transactionalId, producerId, producerEpoch, partitions },
      clientTransactionVersion: version >= FIRST_V2_VERSION ? TRANSACTION_V2 : 0,
    }
    try {
      if (!transaction.verifyOnly) {
        await transactionCoordinator.addPartitions(request)
        return results(topics, () => ErrorCode.NONE)
      }
      const belongs = await transactionCoordinator.verifyPartitions(request)
      let next = 0
      return results(topics, () =>
        belongs[next++] ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE,
      )
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return results(topics, () => fencedErrorCode(error, version >= 2))
    }
  }

  return {
    api: AddPartitionsToTxn,

    async handle(request, { apiVersion }) {
      if (apiVersion < FIRST_BATCHED_VERSION) {
        const transaction = {
          transactionalId: request.v3AndBelowTransactionalId,
          producerId: request.v3AndBelowProducerId,
          producerEpoch: request.v3AndBelowProducerEpoch,
          topics: request.v3AndBelowTopics,
          verifyOnly: false,
        }
        return { resultsByTopicV3AndBelow: await handleTransaction(transaction, apiVersion) }
      }
      const resultsByTransaction = await Promise.all(
        request.transactions.map(async (transaction) => ({
          transactionalId: transaction.transactionalId,
          topicResults: await handleTransaction(transaction, apiVersion),
        })),
      )
      return { errorCode: ErrorCode.NONE, resultsByTransaction }
    },

    failure(request, error) {
      return {
        errorCode: error.code,
        resultsByTopicV3AndBelow: results(request.v3AndBelowTopics, () => error.code),
      }
    },
  }
}

function notAttempted(exists: boolean): number {
  return exists ? ErrorCode.OPERATION_NOT_ATTEMPTED : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
}

function results(topics: Topics, codeOf: (topic: string, partition: number) => number) {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: codeOf(name, partitionIndex),
    })),
  }))
}
