/**
 * DescribeTransactions (version 0): the transactions of transactional ids that this broker
 * coordinates (KIP-664), for `kafka-transactions.sh describe`.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { DescribeTransactions } from '../../protocol/messages/describe-transactions.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function describeTransactionsHandler({
  transactionCoordinator,
}: BrokerServices): RequestHandler<typeof DescribeTransactions> {
  async function describe(transactionalId: string) {
    try {
      const transaction = await transactionCoordinator.describe(transactionalId)
      return {
        errorCode: ErrorCode.NONE,
        transactionalId,
        transactionState: transaction.state,
        transactionTimeoutMs: transaction.timeoutMs,
        transactionStartTimeMs: transaction.startTimestampMs,
        producerId: transaction.producerId,
        producerEpoch: transaction.producerEpoch,
        topics: transaction.partitions
          .byTopic()
          .map(({ topic, partitionIds }) => ({ topic, partitions: partitionIds })),
      }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return failed(transactionalId, error)
    }
  }

  return {
    api: DescribeTransactions,

    async handle({ transactionalIds }) {
      return { transactionStates: await Promise.all(transactionalIds.map(describe)) }
    },

    failure({ transactionalIds }, error) {
      return { transactionStates: transactionalIds.map((id) => failed(id, error)) }
    },
  }
}

function failed(transactionalId: string, error: KafkaError) {
  return {
    ...{ errorCode: error.code, transactionalId, transactionState: '' },
    ...{ transactionTimeoutMs: 0, transactionStartTimeMs: 0, producerId: 0, producerEpoch: 0 },
    topics: [],
  }
}
