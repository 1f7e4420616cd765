/**
 * DescribeLogDirs (versions 1-4): for each log directory how large the partitions in it are, and
 * since version 4 how much room its volume has (KIP-827). A replica that is being moved is there
 * twice, the copy with the mark of the future.
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
  function describeLog(log: PartitionLog) {
    const highWatermark = replicaManager.partition(log.topic, log.partition)?.highWatermark ?? 0
    const lag = Math.max(highWatermark - log.logEndOffset, 0)
    return describe(log, lag, false)
  }

  function describe(log: PartitionLog, offsetLag: number, isFutureKey: boolean) {
    const { topic, partition: partitionIndex, sizeInBytes: partitionSize } = log
    return { topic, partitionIndex, partitionSize, offsetLag, isFutureKey }
  }

  return {
    api: DescribeLogDirs,

    handle(request) {
      const isWanted = wantedPartitions(request)
      return {
        results: logManager.directories().map(({ path, isOnline, logs, futureLogs, space }) => {
          if (!isOnline) {
            return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, logDir: path, topics: [] }
          }
          const found = [
            ...logs.map(describeLog),
            ...futureLogs.map(({ log, lag }) => describe(log, lag, true)),
          ].filter(({ topic, partitionIndex }) => isWanted(topic, partitionIndex))
          const byTopic = Map.groupBy(found, ({ topic }) => topic)
          return {
            errorCode: ErrorCode.NONE,
            logDir: path,
            topics: [...byTopic].map(([name, ofTopic]) => ({
              name,
              partitions: ofTopic.map(({ topic: _topic, ...partition }) => partition),
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
