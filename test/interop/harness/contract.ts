/**
 * What a client program of the interop tests is and does. Each is a few hundred lines in its own
 * language and is called alike, so that one list of scenarios (`scenarios/`) proves all of them:
 *
 *   PROGRAM COMMAND REQUEST.json
 *
 * The request is one JSON object, which always has `address`. The program answers with JSON, one
 * object a line on standard output, and ends with 0; anything else it has to say goes to standard
 * error. The commands, with what their requests hold besides the address:
 *
 *   produce   topic, codec, idempotent, records; prints nothing. Ends when all are acknowledged.
 *   consume   topic, group, isolation, last: reads from the beginning until it has seen offset
 *             last[partition] of every partition, and prints each Record.
 *   read      topic, group, count: reads so many records as a member of the group, from where the
 *             group stands, prints them, commits the position after the last one, and leaves.
 *   member    topic, group, protocol, assignor: stays in the group, prints each Record and then
 *             commits, and prints Owns whenever its partitions change: before it gives some up, and
 *             once it has got some. Leaves the group on SIGTERM, after a last Owns of none.
 *   transact  topic, transactionalId, transactions: runs them one after the other.
 *   fence     topic, transactionalId, first, second: sends `first` in a transaction; then a second
 *             producer takes over the id and sends `second` in one of its own; the first one tries
 *             to commit, then the second one does. Prints one Fenced: whether the first was told,
 *             and in what words.
 *   admin     steps, pauseMs: prints { type: answer } with what each came to, or with `error`,
 *             Kafka's code; waits for so long after each.
 *   share     topic, group: stays in the share group and prints each Delivery once the broker has
 *             taken the acknowledgement: records whose value starts with "release" are released at
 *             their first delivery, those with "reject" rejected, those with "hold" kept at their
 *             first delivery without any answer, all others accepted.
 *
 * Records, keys, values and headers are UTF-8 text in requests and answers.
 */
import type { Codec } from './clients.ts'

export interface RecordToSend {
  partition: number
  key: string | null
  /** Null makes a tombstone. */
  value: string | null
  headers: [name: string, value: string][]
  /** Milliseconds since 1970. */
  timestamp: number
}

export interface RecordSeen extends RecordToSend {
  type: 'record'
  offset: number
}

export interface Owns {
  type: 'owns'
  partitions: number[]
  /** Milliseconds since 1970. */
  at: number
  /**
   * The group's generation, from clients that do not tell at which moment they give partitions up:
   * theirs must not have two owners within a generation, those of all others at no time.
   */
  generation?: number
}

export interface Delivery {
  type: 'delivery'
  partition: number
  offset: number
  value: string
  /** 1 for the first delivery, as the broker counts them. */
  count: number
  verdict: 'accept' | 'release' | 'reject' | 'hold'
}

export interface Fenced {
  type: 'fenced'
  fenced: boolean
  error: string
}

export type AdminAnswer = { type: 'answer'; error?: number } & Record<string, unknown>

export type ClientEvent = RecordSeen | Owns | Delivery | Fenced | AdminAnswer

export interface Transaction {
  records: RecordToSend[]
  outcome: 'commit' | 'abort'
  /** The offset that is committed for partition 0 of the topic within the transaction. */
  offset?: { group: string; offset: number }
}

/** A step of the `admin` command: what to do, and its arguments. */
export type AdminStep = { do: AdminDeed } & Record<string, unknown>

export const adminDeeds = [
  'create-topic',
  'list-topics',
  'describe-topic',
  'create-partitions',
  'describe-config',
  'alter-config',
  'delete-records',
  'list-groups',
  'describe-group',
  'group-offsets',
  'set-group-offsets',
  'delete-group',
  'delete-topic',
] as const

export type AdminDeed = (typeof adminDeeds)[number]

export interface GroupKind {
  protocol: 'classic' | 'consumer'
  /** The assignor's name in the client's own words; without it, what the client does by itself. */
  assignor?: string
}

/** A client program, and what its library offers. */
export interface ClientProgram {
  name: string
  command: [program: string, ...args: string[]]
  codecs: readonly Codec[]
  /** The kinds of groups in which the rebalance is played. */
  groups: readonly GroupKind[]
  /** Whether its members end when the broker does. */
  needsBroker?: boolean
  idempotent: boolean
  /** Whether it has transactions, and whether it can commit offsets within them. */
  transactions: 'none' | 'records' | 'records and offsets'
  /** How many aborted transactions in a row its reader can leave out, if not any number. */
  mostAborted?: number
  share: boolean
  /** What its admin client cannot do. */
  cannot: readonly AdminDeed[]
}
