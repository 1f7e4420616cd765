/**
 * What a partition of a compacted topic may contain, as its clients know it: the oracle for the log
 * cleaner, by keys rather than by batches.
 *
 * A record keeps its offset for ever, or goes. The newest of each key stays, except that a
 * tombstone may go when its time is over. How much of the log's end a crash may take is as in
 * PartitionModel: after a kill nothing that was acknowledged or read, after a power cut nothing
 * that was to be flushed.
 */
import { Violation } from './partition-model.ts'

export interface KeyedRecord {
  readonly id: string
  readonly key: string
  readonly isTombstone: boolean
  /** Undefined until it was acknowledged or read, and when it is lost. */
  offset: number | undefined
}

export interface FoundRecord {
  readonly id: string
  readonly key: string
  readonly isTombstone: boolean
  readonly offset: number
}

export class CompactedModel {
  readonly name: string
  /** Everything is flushed before it is acknowledged. */
  readonly #isFlushed: boolean
  /** Tombstones are kept for longer than the world lasts. */
  readonly #keepsTombstones: boolean
  readonly #sent = new Map<string, KeyedRecord>()
  readonly #owners = new Map<number, KeyedRecord>()
  #knownEnd = 0
  #durableEnd = 0
  /** After a crash, where the log must at least reach. */
  #floor: number | undefined
  /** A power cut may leave holes above the floor: the recovery of compacted logs allows for any. */
  #mayHaveHoles = false

  constructor(options: { name: string; isFlushed: boolean; keepsTombstones: boolean }) {
    this.name = options.name
    this.#isFlushed = options.isFlushed
    this.#keepsTombstones = options.keepsTombstones
  }

  /** Registers a record before it is sent. */
  send(id: string, key: string, isTombstone: boolean): void {
    this.#sent.set(id, { id, key, isTombstone, offset: undefined })
  }

  acknowledge(ids: readonly string[], baseOffset: number): void {
    for (const [index, id] of ids.entries()) this.#place(this.#sent.get(id)!, baseOffset + index)
    const end = baseOffset + ids.length
    this.#knownEnd = Math.max(this.#knownEnd, end)
    if (this.#isFlushed) this.#durableEnd = Math.max(this.#durableEnd, end)
  }

  /** A checkpoint on the disk says that everything below `offset` is durable. */
  noteDurable(offset: number): void {
    this.#durableEnd = Math.max(this.#durableEnd, offset)
  }

  crashed(kind: 'power' | 'kill' | 'stop'): void {
    if (kind === 'stop') this.#durableEnd = this.#floor ?? this.#knownEnd
    const before = this.#floor ?? this.#knownEnd
    this.#floor = kind === 'power' ? Math.min(before, this.#durableEnd) : before
    if (kind === 'power') this.#mayHaveHoles = true
  }

  /** After a start the log was found to end at `end`. */
  recovered(end: number): void {
    if (this.#floor !== undefined && end < this.#floor) {
      throw new Violation(`${this.name} ends at ${end}, but all below ${this.#floor} was safe`)
    }
    const safeEnd = this.#mayHaveHoles ? (this.#floor ?? end) : end
    for (const [offset, record] of this.#owners) {
      if (offset < safeEnd) continue
      this.#owners.delete(offset)
      record.offset = undefined
    }
    this.#knownEnd = end
    this.#floor = undefined
    this.#mayHaveHoles = false
  }

  /** Checks what was read from the start of the log to `end`. */
  found(records: readonly FoundRecord[], end: number): void {
    for (const [index, found] of records.entries()) {
      const sent = this.#sent.get(found.id)
      const isAsSent = sent?.key === found.key && sent.isTombstone === found.isTombstone
      if (sent === undefined || !isAsSent) {
        throw new Violation(`${this.name} has at ${found.offset} what nobody sent: ${found.id}`)
      }
      if (index > 0 && records[index - 1]!.offset >= found.offset) {
        throw new Violation(`${this.name} has ${found.id} at ${found.offset}, out of order`)
      }
      this.#place(sent, found.offset)
    }
    this.#knownEnd = Math.max(this.#knownEnd, end)
    const offsets = new Set(records.map(({ offset }) => offset))
    for (const newest of this.#newest(end).values()) {
      if (offsets.has(newest.offset!) || this.#mayBeDeleted(newest)) continue
      throw new Violation(
        `${this.name} has lost ${newest.id}, the newest of ${newest.key}, at ${newest.offset}`,
      )
    }
  }

  /**
   * Checks the log of a broker that is not running, where nothing changes while it is read: if a
   * tombstone is gone, all that it covers has gone before.
   */
  foundAtRest(records: readonly FoundRecord[], end: number): void {
    this.found(records, end)
    const newest = this.#newest(end)
    const offsets = new Set(records.map(({ offset }) => offset))
    for (const { key, id, offset } of records) {
      const covering = newest.get(key)!
      if (offsets.has(covering.offset!)) continue
      throw new Violation(
        `${this.name} has ${id} at ${offset}, but no more its deletion at ${covering.offset}`,
      )
    }
  }

  /** By key, the known record with the highest offset below `end`. */
  #newest(end: number): Map<string, KeyedRecord> {
    const newest = new Map<string, KeyedRecord>()
    for (const [offset, record] of this.#owners) {
      const other = newest.get(record.key)
      if (offset < end && (other === undefined || other.offset! < offset)) {
        newest.set(record.key, record)
      }
    }
    return newest
  }

  /** The record is a tombstone whose time is over, or there may be such a one after it. */
  #mayBeDeleted({ key, isTombstone }: KeyedRecord): boolean {
    if (this.#keepsTombstones) return false
    if (isTombstone) return true
    return [...this.#sent.values()].some(
      (sent) => sent.key === key && sent.isTombstone && sent.offset === undefined,
    )
  }

  #place(record: KeyedRecord, offset: number): void {
    const where = `${record.id} is at ${offset} of ${this.name}`
    if (record.offset !== undefined && record.offset !== offset) {
      throw new Violation(`${where}, and at ${record.offset} too`)
    }
    const owner = this.#owners.get(offset)
    if (owner !== undefined && owner !== record) {
      throw new Violation(`${where}, where ${owner.id} was`)
    }
    record.offset = offset
    this.#owners.set(offset, record)
  }
}
