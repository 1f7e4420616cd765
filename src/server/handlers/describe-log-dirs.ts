/**
 * DescribeLogDirs (versions 1-4): for each log directory how large the partitions in it are, and
 * since version 4 how much room its volume has (KIP-827).
 */
import { ErrorCode } from '../../common/errors.ts'
import {
  DescribeLogDirs,
  type DescribeLogDirsRequest,
} from '../../protocol/messages/describe-log-dirs.ts'
import type { PartitionLog } from '../../storage/partition-log.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function describeLogDirsHandler({
  logManager,
  replicaManager,
}: BrokerServices): RequestHandler<typeof DescribeLogDirs> {
  function describePartition(log: PartitionLog) {
    const highWatermark = replicaManager.partition(log.topic, log.partition)?.highWatermark ?? 0
    return {
      partitionIndex: log.partition,
      partitionSize: log.sizeInBytes,
      offsetLag: Math.max(highWatermark - log.logEndOffset, 0),
      isFutureKey: false,
    }
  }

  return {
    api: DescribeLogDirs,

    handle(request) {
      const isWanted = wantedPartitions(request)
      return {
        results: logManager.directories().map(({ path, isOnline, logs, space }) => {
          if (!isOnline) {
            return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, logDir: path, topics: [] }
          }
          const wanted = logs.filter((log) => isWanted(log.topic, log.partition))
          const byTopic = Map.groupBy(wanted, (log) => log.topic)
          return {
            errorCode: ErrorCode.NONE,
            logDir: path,
            topics: [...byTopic].map(([name, ofTopic]) => ({
              name,
              partitions: ofTopic.map(describePartition),
            })),
            ...space,
          }
        }),
      }
    },

    failure(_request, error) {
      return { errorCode: error.code, results: [] }
    },
  }
}

function wantedPartitions(
  request: DescribeLogDirsRequest,
): (topic: string, partition: number) => boolean {
  if (request.topics === null) return () => true
  const wanted = new Map(request.topics.map((t) => [t.topic, new Set(t.partitions)] as const))
  return (topic, partition) => wanted.get(topic)?.has(partition) ?? false
}
