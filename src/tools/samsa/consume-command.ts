/** `samsa topic consume`: prints records, from any place to any other, or as they come. */
import type { Command } from 'commander'
import { Consumer, type ConsumerRecord, type TopicPartition } from '../../clients/index.ts'
import { partitionName } from '../../clients/topic-partition.ts'
import { type PrintableRecord, recordFormatter } from './format.ts'
import { type OffsetRange, parseOffsetRange } from './offset-expression.ts'
import { findOffsets } from './offset-lookup.ts'
import { jsonLine } from './output.ts'
import type { RunCommand } from './program.ts'
import { Progress } from './progress.ts'
import type { Session } from './session.ts'
import { chosenPartitions, partitionNumbers, wholeNumber } from './topic-commands.ts'

interface ConsumeOptions {
  readonly format: string
  readonly offset?: string
  readonly num?: number
  readonly partitions?: number[]
  readonly group?: string
  readonly exit?: boolean
  readonly readCommitted?: boolean
}

const DEFAULT_FORMAT = '%v\\n'

export function addConsumeCommand(topic: Command, run: RunCommand): void {
  topic
    .command('consume')
    .description('print the records of topics')
    .argument('<name...>')
    .option('-f, --format <format>', "'%t %p %o %k %v\\n', '%T %v{hex}\\n'", DEFAULT_FORMAT)
    .option('-o, --offset <from[:to]>', 'start, end, 42, -10, +10, @2026-11-01, @-1h:end')
    .option('-n, --num <count>', 'end after so many records', wholeNumber)
    .option('-p, --partitions <numbers>', 'only these partitions: 0,1,5-7', partitionNumbers)
    .option('-g, --group <group>', 'as a member of this group, which goes on where it was')
    .option('-e, --exit', 'end at the end of the topics instead of waiting for more')
    .option('--read-committed', 'no records of transactions that are open or were aborted')
    .action(run(consume))
}

type BytesConsumer = Consumer<Buffer, Buffer>

async function consume(session: Session, [names]: [string[]], options: ConsumeOptions) {
  const printing = createPrinting(session, options)
  const settings: Record<string, string> = {
    ...session.clientConfig(),
    'enable.auto.commit': 'false',
  }
  if (options.group !== undefined) settings['group.id'] = options.group
  if (options.readCommitted) settings['isolation.level'] = 'read_committed'
  settings['auto.offset.reset'] ??= 'earliest'
  const consumer = new Consumer<Buffer, Buffer>(settings)
  try {
    if (options.group !== undefined) await consumeAsMember(session, consumer, names, printing)
    else await consumePartitions(session, consumer, names, options, printing)
  } finally {
    await consumer.close({ timeoutMs: 1000 })
  }
}

interface Printing {
  /** How many more records are wanted. */
  readonly wanted: number
  /** Takes a record, one that is wanted. */
  print(record: ConsumerRecord<Buffer, Buffer>): void
  /** Writes what was taken: one write for many records. */
  flush(): void
}

function createPrinting({ io, json }: Session, { format, num }: ConsumeOptions): Printing {
  const textOf = json ? recordJson : recordFormatter(format)
  let wanted = num ?? Number.POSITIVE_INFINITY
  let text = ''
  return {
    get wanted() {
      return wanted
    },
    print(record) {
      text += textOf(record)
      wanted -= 1
    },
    flush() {
      if (text !== '') io.stdout.write(text)
      text = ''
    },
  }
}

/** One line that `produce --input json` reads again, as far as keys and values are text. */
function recordJson(record: PrintableRecord): string {
  const { topic, partition, offset, timestamp, keyBytes, valueBytes, headers } = record
  const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())
  return jsonLine({
    ...{ topic, partition, offset, timestamp, key: text(keyBytes), value: text(valueBytes) },
    headers: headers.map(({ key, value }) => ({ key, value: text(value) })),
  })
}

async function consumeAsMember(
  { io: { signal } }: Session,
  consumer: BytesConsumer,
  names: readonly string[],
  printing: Printing,
): Promise<void> {
  consumer.subscribe(names)
  while (printing.wanted > 0) {
    const records = await poll(consumer, signal, printing.wanted)
    if (records === undefined) return
    for (const record of records) printing.print(record)
    printing.flush()
    if (records.count > 0) await consumer.commitSync()
  }
}

async function consumePartitions(
  session: Session,
  consumer: BytesConsumer,
  names: readonly string[],
  options: ConsumeOptions,
  printing: Printing,
): Promise<void> {
  const { admin, io } = session
  const range = parseOffsetRange(options.offset ?? 'start', Date.now())
  const described = await admin.describeTopics(names)
  const partitions = names.flatMap((name) =>
    chosenPartitions(described.get(name)!, options.partitions),
  )
  const to = options.exit && range.to === undefined ? ({ kind: 'end' } as const) : range.to
  const bounds = await findBounds(session, partitions, { ...range, to })
  const open = new Map(
    bounds
      .filter(({ from, to }) => to === undefined || from < to)
      .map((bound) => [partitionName(bound), bound]),
  )
  if (open.size === 0) return
  consumer.assign(open.values())
  for (const { topic, partition, from } of open.values()) {
    consumer.seek({ topic, partition }, from)
  }
  const total = bounds.reduce((sum, { from, to = from }) => sum + Math.max(0, to - from), 0)
  const progress = new Progress({ io: io.stdout.isTTY ? withoutBar(io) : io, unit: 'records' })
  let done = 0
  try {
    while (open.size > 0 && printing.wanted > 0) {
      const records = await poll(consumer, io.signal)
      if (records === undefined) return
      for (const record of records) {
        const bound = open.get(partitionName(record))
        if (bound === undefined || record.offset >= (bound.to ?? Number.POSITIVE_INFINITY)) continue
        if (printing.wanted > 0) printing.print(record)
      }
      printing.flush()
      await closeFinished(consumer, open)
      done += records.count
      progress.add(records.count, total > 0 && to !== undefined ? done / total : undefined)
    }
  } finally {
    progress.end()
  }
}

/** A bar between lines of records on the same terminal would only be in the way. */
function withoutBar(io: Session['io']): Session['io'] {
  return { ...io, stderr: { write: (text) => io.stderr.write(text), isTTY: false } }
}

interface Bounds extends TopicPartition {
  readonly from: number
  /** Not read itself. Undefined: without an end. */
  readonly to: number | undefined
}

async function findBounds(
  { admin }: Session,
  partitions: readonly TopicPartition[],
  { from, to }: OffsetRange,
): Promise<Bounds[]> {
  const starts = await findOffsets(admin, partitions, from)
  const ends = to === undefined ? undefined : await findOffsets(admin, partitions, to)
  return starts.map(({ topic, partition, offset }, index) => {
    return { topic, partition, from: offset, to: ends?.[index]?.offset }
  })
}

/** Lets go of the partitions that are read to their end: also where the last offsets are holes. */
async function closeFinished(consumer: BytesConsumer, open: Map<string, Bounds>): Promise<void> {
  for (const [name, { topic, partition, to }] of open) {
    if (to === undefined || (await consumer.position({ topic, partition })) < to) continue
    open.delete(name)
    consumer.pause([{ topic, partition }])
  }
}

/** The next records; undefined when the user has had enough. */
async function poll(consumer: BytesConsumer, signal: AbortSignal, maxRecords?: number) {
  const limit = maxRecords !== undefined && Number.isFinite(maxRecords) ? { maxRecords } : {}
  try {
    return await consumer.poll({ timeoutMs: 1000, signal, ...limit })
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}
