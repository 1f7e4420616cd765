/**
 * Offsets in a file, a line for each partition: `topic,partition,offset`, or, for several groups,
 * `group,topic,partition,offset`. Written by `--export`, read by `--from-file`.
 */
import type { TopicPartition } from '../../clients/topic-partition.ts'
import { ToolError } from '../support/tool.ts'

export interface NewOffset extends TopicPartition {
  readonly offset: number
}

/** The new offsets of groups. */
export type OffsetPlan = ReadonlyMap<string, readonly NewOffset[]>

/** Texts that are longer are quoted, whatever is in them. */
const LONGEST_PLAIN = 24

function csvText(text: string): string {
  const isPlain = text.length <= LONGEST_PLAIN && !/[\0-,]/.test(text)
  return isPlain ? text : `"${text.replaceAll('"', '""')}"`
}

export function formatOffsetCsv(plan: OffsetPlan, withGroups: boolean): string {
  return [...plan]
    .flatMap(([groupId, offsets]) =>
      offsets.map(({ topic, partition, offset }) => {
        const group = withGroups ? `${csvText(groupId)},` : ''
        return `${group}${csvText(topic)},${partition},${offset}\n`
      }),
    )
    .join('')
}

/** Reads such a file; without groups in it, it is about `onlyGroup`. Throws ToolError. */
export function parseOffsetCsv(text: string, onlyGroup: string | undefined): OffsetPlan {
  const lines = text.replace(/\n+$/, '').split('\n')
  const isOfOneGroup = onlyGroup !== undefined && columnsOf(lines[0]!).length <= 3
  const plan = new Map<string, NewOffset[]>()
  for (const line of lines) {
    const columns = columnsOf(line)
    const [groupId, ...rest] = isOfOneGroup ? [onlyGroup, ...columns] : columns
    const [topic = '', partition = '', offset = '', more] = rest
    const numbers = [partition, offset].map((column) => column.trim())
    if (more !== undefined || !numbers.every((number) => /^-?\d+$/.test(number))) {
      throw new ToolError(`"${line}" is not topic,partition,offset, with or without group before`)
    }
    const of = { topic, partition: Number(numbers[0]), offset: Number(numbers[1]) }
    const others = plan.get(groupId!) ?? []
    const isAnother = (one: NewOffset) => one.topic !== of.topic || one.partition !== of.partition
    plan.set(groupId!, [...others.filter(isAnother), of])
  }
  return plan
}

function columnsOf(line: string): string[] {
  const columns = line.replace(/\r$/, '').match(/(?:"(?:[^"]|"")*"|[^,"]*)(?:,|$)/g) ?? []
  return columns
    .map((column, index) => (index < columns.length - 1 ? column.replace(/,$/, '') : column))
    .filter((column, index, all) => index < all.length - 1 || column !== '' || line.endsWith(','))
    .map((column) => /^"(.*)"$/s.exec(column)?.[1]?.replaceAll('""', '"') ?? column)
}
