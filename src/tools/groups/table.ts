/** Tables of groups, as their tools print them: a line's end is before each row, not behind it. */
import type { TopicPartition } from '../../clients/topic-partition.ts'

/** What stands for what is not there. */
export const MISSING = '-'
/** Columns of names are at least as wide. */
export const MIN_COLUMN = 15

/** Rows under their header, each on a line of its own with a line's end before it. */
export function table(widths: readonly number[], rows: readonly (readonly string[])[]): string {
  return rows
    .map((row) => `\n${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' ')}`)
    .join('')
}

/** The width of the widest text, which may be told to be wider. */
export const widest = (texts: Iterable<string>, atLeast: number): number =>
  Math.max(atLeast, ...[...texts].map((text) => text.length))

/** Topics in the order of their names, partitions in that of their numbers. */
export function byName(one: TopicPartition, other: TopicPartition): number {
  if (one.topic !== other.topic) return one.topic < other.topic ? -1 : 1
  return one.partition - other.partition
}

/** `a:0,1;b:2`. */
export function assignmentText(partitions: readonly TopicPartition[]): string {
  if (partitions.length === 0) return MISSING
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of [...partitions].sort(byName)) {
    topics.set(topic, [...(topics.get(topic) ?? []), partition])
  }
  const texts = [...topics].map(([topic, numbers]) => `${topic}:${numbers.join(',')}`)
  return texts.sort().join(';')
}
