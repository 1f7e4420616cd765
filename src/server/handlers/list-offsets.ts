/**
 * ListOffsets (versions 1-11): the offset of a point in time, or one of the special points: -1 the
 * end, -2 the start, -3 the record with the largest timestamp (7+, KIP-734), -4 the start of what
 * is kept locally (8+), -5 the end of what is kept remotely (9+), of which there is nothing here,
 * -6 the first offset still to be moved there (11+).
 *
 * The end is the high watermark, or under read_committed the last stable offset.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { ListOffsets, type ListOffsetsRequest } from '../../protocol/messages/list-offsets.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { FetchIsolation, Partition } from '../partition.ts'
import type { RequestHandler } from '../request-handler.ts'

const LATEST = -1
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6
const READ_COMMITTED = 1

/** The first version in which each special point may be asked for. */
const SINCE: Readonly<Record<number, number>> = {
  [MAX_TIMESTAMP]: 7,
  [EARLIEST_LOCAL]: 8,
  [LATEST_TIERED]: 9,
  [EARLIEST_PENDING_UPLOAD]: 11,
}

interface Found {
  timestamp: number
  offset: number
  leaderEpoch: number
}

const NOT_FOUND: Found = { timestamp: -1, offset: -1, leaderEpoch: -1 }

export function listOffsetsHandler({
  replicaManager,
}: BrokerServices): RequestHandler<typeof ListOffsets> {
  async function look(
    topic: string,
    wanted: ListOffsetsRequest['topics'][number]['partitions'][number],
    isolation: FetchIsolation,
    version: number,
  ) {
    const { partitionIndex, timestamp, currentLeaderEpoch } = wanted
    try {
      if ((SINCE[timestamp] ?? 0) > version || timestamp < EARLIEST_PENDING_UPLOAD) {
        throw new KafkaError('UNSUPPORTED_VERSION')
      }
      const partition = replicaManager.partitionToRead(topic, partitionIndex)
      partition.checkLeader(currentLeaderEpoch)
      const { offset, leaderEpoch, ...found } = await find(partition, timestamp, isolation)
      const epoch = version >= 4 ? { leaderEpoch } : {}
      return { partitionIndex, errorCode: ErrorCode.NONE, ...found, offset, ...epoch }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return { partitionIndex, errorCode: error.code }
    }
  }

  return {
    api: ListOffsets,

    async handle(request, { apiVersion }) {
      const isolation = isolationOf(request)
      const topics = []
      for (const { name, partitions } of request.topics) {
        const indexes = partitions.map((partition) => partition.partitionIndex)
        const results = []
        for (const wanted of partitions) {
          const { partitionIndex } = wanted
          const isRepeated = indexes.indexOf(partitionIndex) !== indexes.lastIndexOf(partitionIndex)
          results.push(
            isRepeated
              ? { partitionIndex, errorCode: ErrorCode.INVALID_REQUEST }
              : await look(name, wanted, isolation, apiVersion),
          )
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
            errorCode: error.code,
          })),
        })),
      }
    },
  }
}

function isolationOf({ replicaId, isolationLevel }: ListOffsetsRequest): FetchIsolation {
  if (replicaId >= 0) return 'log-end'
  return isolationLevel === READ_COMMITTED ? 'committed' : 'high-watermark'
}

async function find(
  partition: Partition,
  timestamp: number,
  isolation: FetchIsolation,
): Promise<Found> {
  if (timestamp === LATEST) {
    const offset = partition.readableEnd(isolation)
    return { timestamp: -1, offset, leaderEpoch: partition.leaderEpoch }
  }
  if (timestamp === EARLIEST_PENDING_UPLOAD) return NOT_FOUND
  const found = await partition.log.offsetForTimestamp(timestamp)
  if (found === undefined) return NOT_FOUND
  // The start of the log may be its end, but a record that is found must be readable.
  const isRecord = timestamp >= 0 || timestamp === MAX_TIMESTAMP
  return isRecord && found.offset >= partition.readableEnd(isolation) ? NOT_FOUND : found
}
