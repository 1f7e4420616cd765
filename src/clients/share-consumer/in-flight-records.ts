/**
 * The records that the application has been given and that are still locked for it.
 *
 * ```
 * delivered ─acknowledge─► acknowledged ─take─► on its way, and no longer here
 *    ▲                                              │ a renewal that succeeded
 *    └──────────── give back to the application ◄───┘
 * ```
 */
import { IllegalStateError } from '../errors.ts'
import { partitionName, type TopicPartition } from '../topic-partition.ts'
import { AcknowledgeCode, type AcknowledgeType } from './acknowledgements.ts'

/** A partition, and the broker that has given out its records. */
export interface SharePartition extends TopicPartition {
  readonly topicId: string
  readonly nodeId: number
}

export interface AcquiredRecord extends TopicPartition {
  readonly offset: number
}

/** What of a partition is to be sent. */
export interface TakenAcknowledgements<Item> {
  readonly partition: SharePartition
  readonly codes: ReadonlyMap<number, number>
  /** Those whose lock is to be renewed. */
  readonly renewing: readonly Item[]
}

interface InFlightPartition<Item> {
  readonly partition: SharePartition
  readonly records: Map<number, Item>
  readonly codes: Map<number, number>
}

export class InFlightRecords<Item extends AcquiredRecord> {
  readonly #partitions = new Map<string, InFlightPartition<Item>>()

  /** Adds what the application is being given, and codes for offsets that it need not see. */
  add(
    partition: SharePartition,
    records: readonly Item[],
    codes: ReadonlyMap<number, number> = new Map(),
  ): void {
    const name = partitionName(partition)
    let found = this.#partitions.get(name)
    // Another broker leads the partition by now: the locks that the one before gave are no more.
    if (found === undefined || found.partition.nodeId !== partition.nodeId) {
      found = { partition, records: new Map(), codes: new Map() }
      this.#partitions.set(name, found)
    }
    for (const record of records) found.records.set(record.offset, record)
    for (const [offset, code] of codes) found.codes.set(offset, code)
  }

  /** Throws IllegalStateError for a record that is not with the application. */
  acknowledge(record: AcquiredRecord, type: AcknowledgeType): void {
    const found = this.#partitions.get(partitionName(record))
    if (!found?.records.has(record.offset)) {
      const where = `${partitionName(record)} at offset ${record.offset}`
      throw new IllegalStateError(`The record of ${where} cannot be acknowledged: it is not held`)
    }
    found.codes.set(record.offset, AcknowledgeCode[type])
  }

  /** Says `type` of all records of which nothing has been said, without some. */
  acknowledgeRest(type: AcknowledgeType, without: ReadonlySet<Item>): void {
    for (const { records, codes } of this.#partitions.values()) {
      for (const [offset, record] of records) {
        if (!codes.has(offset) && !without.has(record)) codes.set(offset, AcknowledgeCode[type])
      }
    }
  }

  /** Says `type` of this record if it is held and nothing has been said of it. */
  settle(record: AcquiredRecord, type: AcknowledgeType): void {
    const found = this.#partitions.get(partitionName(record))
    if (found === undefined || found.codes.has(record.offset)) return
    if (found.records.has(record.offset)) found.codes.set(record.offset, AcknowledgeCode[type])
  }

  /** Whether something has been said of every record. */
  get isSettled(): boolean {
    for (const { records, codes } of this.#partitions.values()) {
      for (const offset of records.keys()) if (!codes.has(offset)) return false
    }
    return true
  }

  /** Forgets all of it. */
  clear(): void {
    this.#partitions.clear()
  }

  /** Takes out what has been acknowledged. */
  take(): TakenAcknowledgements<Item>[] {
    const taken: TakenAcknowledgements<Item>[] = []
    for (const [name, { partition, records, codes }] of this.#partitions) {
      if (codes.size > 0) taken.push(takeFrom(partition, records, codes))
      for (const offset of codes.keys()) records.delete(offset)
      codes.clear()
      if (records.size === 0) this.#partitions.delete(name)
    }
    return taken
  }
}

function takeFrom<Item>(
  partition: SharePartition,
  records: ReadonlyMap<number, Item>,
  codes: ReadonlyMap<number, number>,
): TakenAcknowledgements<Item> {
  const renewing: Item[] = []
  for (const [offset, code] of codes) {
    if (code === AcknowledgeCode.renew) renewing.push(records.get(offset)!)
  }
  return { partition, codes: new Map(codes), renewing }
}
