/**
 * OffsetForLeaderEpoch (versions 2-4): where the records of a leader epoch end. A client or
 * follower whose own log goes further in that epoch has records that were never committed (KIP-101,
 * KIP-320).
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { OffsetForLeaderEpoch } from '../../protocol/messages/offset-for-leader-epoch.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function offsetForLeaderEpochHandler({
  replicaManager,
}: BrokerServices): RequestHandler<typeof OffsetForLeaderEpoch> {
  return {
    api: OffsetForLeaderEpoch,

    handle(request) {
      return {
        topics: request.topics.map(({ topic, partitions }) => ({
          topic,
          partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
            try {
              const partition = replicaManager.partitionToRead(topic, index)
              partition.checkLeader(currentLeaderEpoch)
              const end = partition.log.endOffsetForEpoch(leaderEpoch)
              return {
                errorCode: ErrorCode.NONE,
                partition: index,
                leaderEpoch: end.epoch,
                endOffset: end.endOffset,
              }
            } catch (error) {
              if (!(error instanceof KafkaError)) throw error
              return { errorCode: error.code, partition: index }
            }
          }),
        })),
      }
    },

    failure(request, error) {
      return {
        topics: request.topics.map(({ topic, partitions }) => ({
          topic,
          partitions: partitions.map(({ partition }) => ({ errorCode: error.code, partition })),
        })),
      }
    },
  }
}
