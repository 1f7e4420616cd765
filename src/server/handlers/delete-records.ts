/**
 * DeleteRecords (versions 0-2): moves the start of partitions forward, so that what is below can be
 * removed. Offset -1 stands for the high watermark.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { DeleteRecords } from '../../protocol/messages/delete-records.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function deleteRecordsHandler({
  replicaManager,
}: BrokerServices): RequestHandler<typeof DeleteRecords> {
  function remove(topic: string, partitionIndex: number, offset: number) {
    try {
      const partition = replicaManager.partitionToRead(topic, partitionIndex)
      const lowWatermark = partition.deleteRecords(offset)
      return { partitionIndex, lowWatermark, errorCode: ErrorCode.NONE }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return { partitionIndex, lowWatermark: -1, errorCode: error.code }
    }
  }

  return {
    api: DeleteRecords,

    handle(request) {
      const topics = []
      for (const { name, partitions } of request.topics) {
        const results = []
        for (const { partitionIndex, offset } of partitions) {
          results.push(remove(name, partitionIndex, offset))
        }
        topics.push({ name, partitions: results })
      }
      return { topics }
    },

    failure(request, error) {
      return {
        topics: request.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => ({
            partitionIndex,
            lowWatermark: -1,
            errorCode: error.code,
          })),
        })),
      }
    },
  }
}
