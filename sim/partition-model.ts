/**
 * What one partition may contain, as its clients know it: the oracle against which everything that
 * the broker says is checked.
 *
 * Every batch ever sent to the partition is registered. The model holds, for each offset, the batch
 * that was seen or acknowledged there; a log never changes its mind about an offset, except that
 * after a crash it may end earlier. How much earlier is bounded by three floors:
 *
 *  - killing the process loses nothing that was acknowledged or read: `readableEnd`;
 *  - a power cut loses nothing that the flush policy promised, or a checkpoint or a clean shutdown
 *    claimed, to be durable: `durableEnd`.
 *
 * Batches are identified by the part that the broker never changes: from the producer id on.
 */
import { crc32c } from '../src/common/crc32c.ts'
import {
  ATTRIBUTES_AT,
  hasValidCrc,
  LAST_OFFSET_DELTA_AT,
  PRODUCER_ID_AT,
  readInt32,
  readInt64,
} from '../src/protocol/records/record-batch.ts'

/** A batch that a client has sent, perhaps more than once. */
export interface SentBatch {
  /** For messages. */
  readonly name: string
  readonly bytes: Buffer
  readonly timestamps: readonly number[]
  /** Where it was last seen in the log. */
  baseOffset: number | undefined
}

export interface FlushPolicy {
  /** `flush.messages`; Infinity for never. */
  readonly messages: number
  /** `flush.ms`; Infinity for never. */
  readonly ms: number
}

/** The broker has done what it must never do. The message says what. */
export class Violation extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Violation'
  }
}

/** How much later than `flush.ms` a flush may end: syncs take their time. */
const FLUSH_SLACK_MS = 2000

export class PartitionModel {
  readonly name: string
  /** With LogAppendTime the broker changes the batch's times and checksum. */
  readonly usesLogAppendTime: boolean
  readonly flush: FlushPolicy
  /** Retention may move the log start offset at any time. */
  readonly hasRetention: boolean
  /** The largest batch that the topic takes. */
  readonly maxBatchBytes: number
  /** Acknowledged or read, so that a living machine must have everything below. */
  readableEnd = 0
  /** Promised to survive a power cut. */
  durableEnd = 0
  /** The lowest and the highest log start offset that the broker may have. */
  minLogStart = 0
  maxLogStart = 0
  /** After a crash: what the log must at least hold. Undefined while the broker lives. */
  floor: number | undefined
  readonly #sent = new Map<string, SentBatch[]>()
  /** By offset. */
  readonly #owners: (SentBatch | undefined)[] = []
  #acknowledged: { end: number; timeMs: number }[] = []

  constructor(options: {
    name: string
    usesLogAppendTime: boolean
    hasRetention: boolean
    maxBatchBytes: number
    flush: FlushPolicy
  }) {
    this.name = options.name
    this.usesLogAppendTime = options.usesLogAppendTime
    this.hasRetention = options.hasRetention
    this.maxBatchBytes = options.maxBatchBytes
    this.flush = options.flush
  }

  /** Registers a batch before it is sent. */
  register(name: string, bytes: Buffer, timestamps: readonly number[]): SentBatch {
    // The broker writes into what it receives, and the network does not copy at once.
    const copy = Buffer.from(bytes)
    const batch = { name, bytes: copy, timestamps, baseOffset: undefined }
    const key = identity(bytes)
    const sameKey = this.#sent.get(key)
    if (sameKey === undefined) this.#sent.set(key, [batch])
    else sameKey.push(batch)
    return batch
  }

  /** The broker says that `batch` is at `baseOffset`, and that this much is done. */
  acknowledge(batch: SentBatch, baseOffset: number, timeMs: number): void {
    this.#place(batch, baseOffset, 'acknowledged')
    const end = baseOffset + batch.timestamps.length
    this.readableEnd = Math.max(this.readableEnd, end)
    // With flush.messages=N at most N-1 messages may wait to be flushed when one is acknowledged.
    this.durableEnd = Math.max(this.durableEnd, end - this.flush.messages + 1)
    this.#acknowledged.push({ end, timeMs })
  }

  /** Checks a batch that was read, and returns the offset after it. */
  read(bytes: Buffer): number {
    const baseOffset = readInt64(bytes, 0)
    if (!hasValidCrc(bytes, 0, bytes.length)) {
      throw new Violation(`${this.name} serves a corrupt batch at ${baseOffset}`)
    }
    const batch = this.#identify(bytes, baseOffset)
    this.#place(batch, baseOffset, 'read')
    const end = baseOffset + batch.timestamps.length
    this.readableEnd = Math.max(this.readableEnd, end)
    return end
  }

  /** The timestamp of a record that is in the model. */
  timestampAt(offset: number): number {
    const batch = this.#owners[offset]
    if (batch === undefined) throw new Error(`${this.name} has nothing at ${offset}`)
    return batch.timestamps[offset - batch.baseOffset!]!
  }

  /** The first offset whose timestamp is at least `timestamp`, among those in the model. */
  offsetForTimestamp(timestamp: number, logStart: number, logEnd: number): number | undefined {
    for (let offset = logStart; offset < logEnd; offset++) {
      const batch = this.#owners[offset]
      if (batch !== undefined && batch.timestamps[offset - batch.baseOffset!]! >= timestamp) {
        return offset
      }
    }
    return undefined
  }

  /** The machine or the process went down at `timeMs`. */
  crashed(kind: 'power' | 'kill' | 'stop', timeMs: number, isFlushTimely: boolean): void {
    if (kind === 'stop' && this.floor === undefined) this.durableEnd = this.readableEnd
    if (isFlushTimely) {
      for (const { end, timeMs: acknowledgedMs } of this.#acknowledged) {
        if (acknowledgedMs + this.flush.ms + FLUSH_SLACK_MS <= timeMs) {
          this.durableEnd = Math.max(this.durableEnd, end)
        }
      }
    }
    this.#acknowledged = []
    const before = this.floor ?? this.readableEnd
    // Nobody had to flush what was to be deleted, and the new start may not be durable either.
    const durableEnd = this.durableEnd > this.maxLogStart ? this.durableEnd : 0
    this.floor = kind === 'power' ? Math.min(before, durableEnd) : before
    if (kind !== 'stop') this.minLogStart = 0
  }

  /** After a crash the log was found to go from `logStart` to `logEnd`. */
  recovered(logStart: number, logEnd: number): void {
    if (this.floor !== undefined && logEnd < this.floor) {
      const lost = this.#owners.slice(logEnd, this.floor).find((batch) => batch !== undefined)
      throw new Violation(
        `${this.name} ends at ${logEnd}, but everything below ${this.floor} was safe ` +
          `(${lost?.name} at ${lost?.baseOffset})`,
      )
    }
    this.checkLogStart(logStart)
    for (const batch of new Set(this.#owners.slice(logEnd))) {
      if (batch === undefined) continue
      // Where nothing is left, the log begins anew at its start, which may be within a batch.
      if (batch.baseOffset! < logEnd && logStart < logEnd) {
        throw new Violation(`${this.name} ends at ${logEnd}, within ${batch.name}`)
      }
      this.#owners.fill(undefined, batch.baseOffset, logEnd)
      batch.baseOffset = undefined
    }
    this.#owners.length = Math.min(this.#owners.length, logEnd)
    this.readableEnd = logEnd
    this.floor = undefined
  }

  checkLogStart(logStart: number): void {
    if (logStart < this.minLogStart) {
      throw new Violation(`${this.name} begins at ${logStart}, below ${this.minLogStart}`)
    }
    if (logStart > this.maxLogStart && !this.hasRetention) {
      throw new Violation(
        `${this.name} begins at ${logStart}, but nothing above ${this.maxLogStart} was to go`,
      )
    }
  }

  #identify(bytes: Buffer, baseOffset: number): SentBatch {
    const from = this.usesLogAppendTime ? PRODUCER_ID_AT : ATTRIBUTES_AT
    const candidates = this.#sent.get(identity(bytes)) ?? []
    const batch = candidates.find((sent) => sent.bytes.subarray(from).equals(bytes.subarray(from)))
    if (batch === undefined) {
      throw new Violation(`${this.name} has a batch at ${baseOffset} that nobody sent`)
    }
    const deltas = readInt32(bytes, LAST_OFFSET_DELTA_AT) + 1
    if (deltas !== batch.timestamps.length)
      throw new Violation(`${batch.name} has ${deltas} offsets`)
    return batch
  }

  #place(batch: SentBatch, baseOffset: number, how: string): void {
    const where = `${batch.name} was ${how} at ${baseOffset} of ${this.name}`
    // A batch that was deleted and is sent again is a new one: the broker has forgotten the old.
    const isElsewhere = batch.baseOffset !== undefined && batch.baseOffset !== baseOffset
    if (isElsewhere && batch.baseOffset! >= this.maxLogStart && !this.hasRetention) {
      throw new Violation(`${where}, and is at ${batch.baseOffset} too`)
    }
    for (let offset = baseOffset; offset < baseOffset + batch.timestamps.length; offset++) {
      const owner = this.#owners[offset]
      if (owner !== undefined && owner !== batch) {
        throw new Violation(`${where}, where ${owner.name} was`)
      }
      this.#owners[offset] = batch
    }
    batch.baseOffset = baseOffset
  }
}

/** What of a batch the broker leaves alone, in short. */
function identity(bytes: Buffer): string {
  return `${bytes.length}:${crc32c(bytes, PRODUCER_ID_AT, bytes.length)}`
}
