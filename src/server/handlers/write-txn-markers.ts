/**
 * WriteTxnMarkers (versions 1-2): the coordinators of transactions have the leaders of partitions
 * append the control batch with which a transaction ends there. An administrator does the same to
 * end a transaction that hangs (`kafka-transactions.sh abort`, KIP-664).
 *
 * Version 2 names the transaction version, by which a marker that comes too late is recognised
 * (KIP-1228).
 */
import {
  WriteTxnMarkers,
  type WriteTxnMarkersRequest,
} from '../../protocol/messages/write-txn-markers.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

type RequestedMarker = WriteTxnMarkersRequest['markers'][number]

export function writeTxnMarkersHandler({
  transactionMarkers,
}: BrokerServices): RequestHandler<typeof WriteTxnMarkers> {
  async function write(marker: RequestedMarker) {
    const partitions = marker.topics.flatMap(({ name, partitionIndexes }) =>
      partitionIndexes.map((partitionIndex) => ({ topic: name, partitionIndex })),
    )
    const { transactionResult: isCommit } = marker
    const codes = await transactionMarkers.write({ ...marker, isCommit }, partitions)
    let next = 0
    return resultOf(marker, () => codes[next++]!)
  }

  return {
    api: WriteTxnMarkers,

    async handle({ markers }) {
      return { markers: await Promise.all(markers.map(write)) }
    },

    failure({ markers }, error) {
      return { markers: markers.map((marker) => resultOf(marker, () => error.code)) }
    },
  }
}

function resultOf({ producerId, topics }: RequestedMarker, nextCode: () => number) {
  return {
    producerId,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({
        partitionIndex,
        errorCode: nextCode(),
      })),
    })),
  }
}
