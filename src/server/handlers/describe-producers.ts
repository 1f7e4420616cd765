/**
 * DescribeProducers (version 0): the producers that partitions remember, and their open
 * transactions (KIP-664), for `kafka-transactions.sh describe-producers` and `find-hanging`.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { DescribeProducers } from '../../protocol/messages/describe-producers.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function describeProducersHandler({
  replicaManager,
}: BrokerServices): RequestHandler<typeof DescribeProducers> {
  function describe(topic: string, partitionIndex: number) {
    try {
      const partition = replicaManager.partitionToRead(topic, partitionIndex)
      partition.checkLeader(-1)
      const activeProducers = [...partition.log.activeProducers()].map((producer) => ({
        producerId: producer.producerId,
        producerEpoch: producer.producerEpoch,
        lastSequence: producer.batches.at(-1)?.lastSequence ?? -1,
        lastTimestamp: producer.lastTimestamp,
        coordinatorEpoch: producer.coordinatorEpoch,
        currentTxnStartOffset: producer.currentTxnFirstOffset,
      }))
      return { partitionIndex, errorCode: ErrorCode.NONE, activeProducers }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return failed(partitionIndex, error)
    }
  }

  return {
    api: DescribeProducers,

    handle({ topics }) {
      return {
        topics: topics.map(({ name, partitionIndexes }) => ({
          name,
          partitions: partitionIndexes.map((index) => describe(name, index)),
        })),
      }
    },

    failure({ topics }, error) {
      return {
        topics: topics.map(({ name, partitionIndexes }) => ({
          name,
          partitions: partitionIndexes.map((index) => failed(index, error)),
        })),
      }
    },
  }
}

function failed(partitionIndex: number, { code, message }: KafkaError) {
  return { partitionIndex, errorCode: code, errorMessage: message, activeProducers: [] }
}
