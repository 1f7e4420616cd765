/** What a consumer asks brokers besides records: offsets by time, ends of partitions, topics. */

import { listOffsets, type OffsetQuery } from '../admin/partitions.ts'
import type { CallOptions } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { partitionName, type TopicPartition } from '../topic-partition.ts'

export interface TimeQuery extends TopicPartition {
  /** In milliseconds since the epoch. */
  readonly timestamp: number
}

/** A record found by its time. */
export interface OffsetOfTime {
  readonly offset: number
  /** In milliseconds since the epoch. */
  readonly timestamp: number
  /** -1 where it is not known. */
  readonly leaderEpoch: number
}

export interface QueryOptions extends CallOptions {
  readonly isReadCommitted: boolean
}

/** The first record of each time or later, by `topic-partition`; undefined where there is none. */
export async function offsetsForTimes(
  cluster: ClusterClient,
  queries: Iterable<TimeQuery>,
  options: QueryOptions,
): Promise<Map<string, OffsetOfTime | undefined>> {
  const asked = [...queries].map(({ topic, partition, timestamp }) => {
    if (timestamp >= 0) return { topic, partition, at: timestamp }
    throw new RangeError(`The time ${timestamp} of ${topic}-${partition} is negative`)
  })
  const found = await ask(cluster, asked, options)
  return new Map(
    found.map(({ topic, partition, offset, timestamp, leaderEpoch }) => {
      const result = offset < 0 ? undefined : { offset, timestamp, leaderEpoch }
      return [partitionName({ topic, partition }), result]
    }),
  )
}

/** The first offset of each partition, or that after the last record, by `topic-partition`. */
export async function endsOf(
  cluster: ClusterClient,
  partitions: Iterable<TopicPartition>,
  at: 'earliest' | 'latest',
  options: QueryOptions,
): Promise<Map<string, number>> {
  const asked = [...partitions].map(({ topic, partition }) => ({ topic, partition, at }))
  const found = await ask(cluster, asked, options)
  return new Map(found.map((offset) => [partitionName(offset), offset.offset]))
}

async function ask(
  cluster: ClusterClient,
  queries: readonly OffsetQuery[],
  { isReadCommitted, ...options }: QueryOptions,
) {
  const isolationLevel = isReadCommitted ? 'read_committed' : 'read_uncommitted'
  return await listOffsets(cluster, queries, { ...options, isolationLevel })
}
