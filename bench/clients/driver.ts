/**
 * What a client library must be able to do to take part in bench:clients. Each is used in the
 * fastest way that its own documentation shows, and `note` says which.
 */

export interface ClientDriver {
  /** As the table names it. */
  readonly name: string
  /** How it is used, and which settings are not its own. */
  readonly note: string
  openProducer(target: Target): Promise<BenchProducer>
  /**
   * Reads a topic from its start as the only member of a new group. Calls `onRecord` for each
   * record and resolves when `onRecord` has returned false and everything is closed.
   */
  consume(target: Target, groupId: string, onRecord: OnRecord): Promise<void>
}

export interface Target {
  /** `host:port` of the broker. */
  readonly address: string
  readonly topic: string
}

/** Given what a consumer's application reads; whether it wants more. */
export type OnRecord = (
  key: Uint8Array | null | undefined,
  value: Uint8Array | null | undefined,
) => boolean

export interface BenchProducer {
  /** Sends one record; resolves when all in-sync replicas have it. */
  sendOne(): Promise<unknown>
  /** Sends records in one call, if the library has one, and resolves when all are written. */
  sendMany(count: number): Promise<unknown>
  close(): Promise<unknown>
}

/** The size of a small record's value, in bytes. */
export const VALUE_BYTES = 100

const value = Buffer.alloc(VALUE_BYTES, 'v')
const keys = Array.from({ length: 1000 }, (_, i) => Buffer.from(`key-${i}`))
let next = 0

/** The next record: one of a thousand keys, always the same value. */
export function nextRecord(): { key: Buffer; value: Buffer } {
  next = next === 999 ? 0 : next + 1
  return { key: keys[next]!, value }
}

/** Records as an array, each made into what a library takes. */
export function recordsOf<Message>(
  count: number,
  make: (record: { key: Buffer; value: Buffer }) => Message,
): Message[] {
  const messages = new Array<Message>(count)
  for (let i = 0; i < count; i++) messages[i] = make(nextRecord())
  return messages
}
