/**
 * The history of a run: what every process of it did and learnt, in lines of JSON that it wrote the
 * moment it knew. All clocks are CLOCK_MONOTONIC of one machine, so two events of different
 * processes have an order: what one did after `at` happened after everything that was written
 * before. A line says what its writer knew, not when it came true: an answer is written after it
 * was given, an intention before it is carried out.
 */
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Line {
  /** Microseconds on the machine's monotonic clock. */
  at: number
  /** Who wrote it, as `role#incarnation`. */
  process: string
}

/** A process began. */
export interface Started extends Line {
  event: 'started'
}

/** A member was given partitions, besides those that it kept. */
export interface Assigned extends Line {
  event: 'assigned'
  group: string
  member: string
  /** The `group.instance.id`, or nothing. */
  instance: string
  /** The generation, in the consumer protocol the member's epoch. */
  generation: number
  partitions: number[]
}

/** A member gave partitions up, or (`lost`) learnt that they are no longer its own. */
export interface Released extends Line {
  event: 'released'
  group: string
  lost: boolean
  partitions: number[]
}

/** A member worked on consecutive records, the first one at `offset`. */
export interface Processed extends Line {
  event: 'processed'
  group: string
  partition: number
  offset: number
  ids: string[]
}

/** A member is about to commit; offsets by partition. */
export interface Committing extends Line {
  event: 'committing'
  group: string
  /** With the process, a name for this commit. */
  commit: number
  offsets: Record<string, number>
}

/** The answer to a commit: error codes by partition, or why there is none. */
export interface Committed extends Line {
  event: 'committed'
  group: string
  commit: number
  member: string
  instance: string
  generation: number
  codes?: Record<string, number>
  error?: string
}

/** A record was acknowledged. */
export interface Produced extends Line {
  event: 'produced'
  id: string
  topic: string
  partition: number
  offset: number
}

/** What an onlooker got from OffsetFetch, asked at `from`: by partition, -1 for no commit. */
export interface Observed extends Line {
  event: 'observed'
  group: string
  from: number
  offsets: number[]
}

/** A producer got its id: from now on nobody else writes under this transactional id. */
export interface Initialized extends Line {
  event: 'initialized'
  transactionalId: string
  producerId: number
  producerEpoch: number
}

/** A transaction is about to write this many records, each to one of `partitions`, in order. */
export interface Began extends Line {
  event: 'began'
  transaction: string
  transactionalId: string
  topic: string
  partitions: number[]
}

/** A transaction is about to be ended; without this line it was left open. */
export interface Ending extends Line {
  event: 'ending'
  transaction: string
  commit: boolean
}

export interface Ended extends Line {
  event: 'ended'
  transaction: string
  outcome: 'committed' | 'aborted' | 'unknown'
  error?: string
}

export type Isolation = 'read_committed' | 'read_uncommitted'

/** A reader begins at the start of every partition. */
export interface Reading extends Line {
  event: 'reading'
  isolation: Isolation
}

/** A reader got records: offset and value. */
export interface Read extends Line {
  event: 'read'
  isolation: Isolation
  topic: string
  partition: number
  records: [offset: number, value: string][]
}

/** A reader came to the ends that it was told. */
export interface Complete extends Line {
  event: 'complete'
  isolation: Isolation
}

/** Where a partition ends for readers of committed records, and where it ends. */
export interface Ends extends Line {
  event: 'ends'
  topic: string
  partition: number
  stable: number
  high: number
}

/** What was done to whom; for the reader of a report. */
export interface Happened extends Line {
  event: 'fault' | 'broker' | 'failed' | 'unproduced'
  [more: string]: unknown
}

export type HistoryEvent =
  | Started
  | Assigned
  | Released
  | Processed
  | Committing
  | Committed
  | Produced
  | Observed
  | Initialized
  | Began
  | Ending
  | Ended
  | Reading
  | Read
  | Complete
  | Ends
  | Happened

export type History = readonly HistoryEvent[]

/** Something that must not be, with the events that show it. */
export interface Violation {
  /** A sentence: what should have held. */
  invariant: string
  /** What is the case instead. */
  found: string
  events: HistoryEvent[]
}

/** The events of one kind. */
export function eventsOf<K extends HistoryEvent['event']>(
  history: History,
  kind: K,
): Extract<HistoryEvent, { event: K }>[] {
  return history.filter((each): each is Extract<HistoryEvent, { event: K }> => each.event === kind)
}

/** The machine's monotonic clock in microseconds, the same as the workers'. */
export const monotonicMicros = (): number => Number(process.hrtime.bigint() / 1_000n)

/** Appends an event to a file of the history. */
export function appendEvent(path: string, event: Record<string, unknown>): void {
  appendFileSync(path, `${JSON.stringify({ at: monotonicMicros(), ...event })}\n`)
}

/** Reads all files of a folder into one history, in the order of time. */
export function readHistory(folder: string): HistoryEvent[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => parseLines(readFileSync(join(folder, name), 'utf8')))
    .sort((one, other) => one.at - other.at)
}

function parseLines(text: string): HistoryEvent[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as HistoryEvent)
}
