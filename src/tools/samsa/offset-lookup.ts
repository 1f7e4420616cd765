/** Finds the offsets that an expression means in each partition. */
import type { Admin, TopicPartition } from '../../clients/index.ts'
import { partitionName } from '../../clients/topic-partition.ts'
import type { OffsetExpression } from './offset-expression.ts'

export interface PartitionOffset extends TopicPartition {
  readonly offset: number
}

/**
 * The offset in each of `partitions`, in the same order. What lies before the first record becomes
 * the first, what lies after the last becomes the end. Rejects with KafkaError.
 */
export async function findOffsets(
  admin: Admin,
  partitions: readonly TopicPartition[],
  expression: OffsetExpression,
): Promise<PartitionOffset[]> {
  if (partitions.length === 0) return []
  const ask = async (at: 'earliest' | 'latest' | number) => {
    const found = await admin.listOffsets(partitions.map((partition) => ({ ...partition, at })))
    const byName = new Map(found.map((item) => [partitionName(item), item.offset]))
    return partitions.map((partition) => byName.get(partitionName(partition))!)
  }
  const { kind } = expression
  if (kind === 'start') return placed(partitions, await ask('earliest'))
  const ends = await ask('latest')
  if (kind === 'end') return placed(partitions, ends)
  if (kind === 'time') {
    const found = await ask(expression.timestampMs)
    // Where nothing is that late, the end is the place where it would be.
    return placed(
      partitions,
      found.map((offset, index) => (offset < 0 ? ends[index]! : offset)),
    )
  }
  const starts = await ask('earliest')
  const { offset, from } = expression
  return placed(
    partitions,
    starts.map((start, index) => {
      const end = ends[index]!
      const wanted = from === 'end' ? end - offset : from === 'start' ? start + offset : offset
      return Math.min(Math.max(wanted, start), end)
    }),
  )
}

function placed(partitions: readonly TopicPartition[], offsets: readonly number[]) {
  return partitions.map((partition, index) => ({ ...partition, offset: offsets[index]! }))
}
