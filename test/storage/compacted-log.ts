/**
 * A compacted log and, beside it, everything that was ever appended: after any number of cleanings
 * and crashes `check` says whether the one still is what the other allows.
 */
import assert from 'node:assert/strict'
import type { ProcessClock } from '../../sim/simulated-clock.ts'
import {
  COMPRESSION_TYPES,
  type CompressionType,
} from '../../src/common/compression/compression.ts'
import { silentLogger } from '../../src/common/logger.ts'
import { CONTROL_MASK, TRANSACTIONAL_MASK } from '../../src/protocol/records/record-batch.ts'
import {
  buildEndTransactionBatch,
  buildRecordBatch,
} from '../../src/protocol/records/record-batch-writer.ts'
import { readRecords } from '../../src/protocol/records/record-reader.ts'
import {
  type CleanerSettings,
  DEFAULT_CLEANER_SETTINGS,
} from '../../src/storage/cleaner-settings.ts'
import { LogCleaner } from '../../src/storage/log-cleaner.ts'
import type { LogConfig } from '../../src/storage/log-config.ts'
import type { LogContext } from '../../src/storage/log-context.ts'
import type { PartitionLog, PartitionLogOptions } from '../../src/storage/partition-log.ts'
import { append, openLog, readAll, type StoredBatch, type World } from './log-harness.ts'

export const DELETE_RETENTION_MS = 10_000

/** Producers of which the log has idempotent state; the last two write transactions. */
export const PRODUCERS = [1, 2, 3, 4] as const
export type Producer = (typeof PRODUCERS)[number]

export interface NewKey {
  readonly key: string
  readonly isTombstone: boolean
  readonly size: number
}

interface WrittenRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: string
  readonly value: string | null
  readonly writer: Producer | undefined
  /** Undefined while its transaction is open. */
  isAborted: boolean | undefined
  /** Of the marker that ended its transaction. */
  markerOffset: number | undefined
  /** When a cleaning that may have removed it began, for the first time. */
  cleanedMs: number | undefined
}

export class CompactedLog {
  log!: PartitionLog
  cleaner!: LogCleaner
  settings: CleanerSettings = { ...DEFAULT_CLEANER_SETTINGS, ioBufferBytes: 8192 }
  readonly written: WrittenRecord[] = []
  readonly #world: World
  #clock: ProcessClock | undefined
  readonly #config: Partial<LogConfig>
  readonly #sequences = new Map<Producer, number>()
  readonly #open = new Map<Producer, WrittenRecord[]>()
  #values = 0

  constructor(world: World, config: Partial<LogConfig> = {}) {
    this.#world = world
    this.#config = {
      cleanupPolicy: ['compact'],
      segmentBytes: 900,
      minCleanableDirtyRatio: 0,
      deleteRetentionMs: DELETE_RETENTION_MS,
      ...config,
    }
  }

  /** Opens the log, or opens it again after a crash. */
  async open(
    context: LogContext = this.#newContext(),
    options: Partial<PartitionLogOptions> = {},
  ): Promise<void> {
    const config = this.#config as LogConfig
    this.log = await openLog(this.#world, context, { ...options, config })
    this.log.highWatermark = this.log.logEndOffset
    this.cleaner = new LogCleaner({
      clock: this.#world.simulation.clock,
      logger: silentLogger,
      logs: () => [this.log],
      settings: () => this.settings,
    })
  }

  /** With a clock of its own: what a process that has died had planned does not happen. */
  #newContext(): LogContext {
    this.#clock?.stop()
    this.#clock = this.#world.simulation.clock.process()
    return { ...this.#world.newContext(), clock: this.#clock }
  }

  write(
    keys: readonly NewKey[],
    compression: CompressionType = 'none',
    producerId?: Producer,
  ): void {
    const now = this.#world.simulation.clock.now()
    const transactional = producerId !== undefined && producerId >= 3
    const records = keys.map(({ key, isTombstone, size }, index) => ({
      // Neither ascending nor all above the first.
      timestamp: now + ((index * 7) % 5) - 2,
      key: Buffer.from(key),
      value: isTombstone ? null : Buffer.from(`${this.#values++}`.padEnd(size, '.')),
    }))
    const baseSequence = producerId === undefined ? -1 : (this.#sequences.get(producerId) ?? 0)
    const producer = { producerId: producerId ?? -1, baseSequence, transactional }
    const producerEpoch = producerId === undefined ? -1 : 0
    const batch = buildRecordBatch(records, { compression, producerEpoch, ...producer })
    const { firstOffset } = append(this.log, batch)
    this.#commit()
    if (producerId !== undefined) this.#sequences.set(producerId, baseSequence + keys.length)
    const isAborted = transactional ? undefined : false
    const written = records.map(({ timestamp, key, value }, index) => ({
      ...{ offset: firstOffset + index, timestamp, key: key.toString(), isAborted },
      writer: producerId,
      value: value?.toString() ?? null,
      markerOffset: undefined,
      cleanedMs: undefined,
    }))
    this.written.push(...written)
    if (!transactional) return
    this.#open.set(producerId, [...(this.#open.get(producerId) ?? []), ...written])
  }

  endTransaction(producerId: Producer, commit: boolean): void {
    const marker = { commit, coordinatorEpoch: 0 }
    const now = this.#world.simulation.clock.now()
    const batch = buildEndTransactionBatch(marker, { producerId, producerEpoch: 0 }, now)
    const { firstOffset } = append(this.log, batch, { origin: 'coordinator' })
    this.#commit()
    for (const record of this.#open.get(producerId) ?? []) {
      record.isAborted = !commit
      record.markerOffset = firstOffset
    }
    this.#open.delete(producerId)
  }

  #commit(): void {
    this.log.commit()
    this.log.highWatermark = this.log.logEndOffset
  }

  /** Whether segments have been closed and are not durable: a power cut may then leave a hole. */
  get mayGetHole(): boolean {
    const { checkpointPoint, cleanable } = this.log
    return checkpointPoint < cleanable.core.segments.active.baseOffset
  }

  /**
   * Opens the log after a crash which may have left a hole where it was not durable, and throws
   * unless each key has its last durable value, or a later one. The model is of no use afterwards.
   */
  async reopenWithHole(): Promise<void> {
    const { checkpointPoint } = this.log
    await this.open(undefined, { recoveryPoint: checkpointPoint })
    const { found } = await this.#read()
    const durable = new Map<string, WrittenRecord>()
    for (const record of this.written) {
      const { offset, isAborted, key } = record
      if (offset < checkpointPoint && isAborted === false) durable.set(key, record)
    }
    for (const { key, offset, value } of durable.values()) {
      if (value === null) continue
      const latest = found.findLast((record) => record.key === key)
      assert.ok((latest?.offset ?? -1) >= offset, `${offset} was the last of ${key}, and durable`)
    }
  }

  /** Opens the log after a crash which may have taken what was not durable from its end. */
  async reopen(): Promise<void> {
    const { cleanable, checkpointPoint: recoveryPoint } = this.log
    const { cleanerOffset } = cleanable
    await this.open(undefined, { recoveryPoint, cleanerOffset })
    const { logEndOffset } = this.log
    assert.ok(
      logEndOffset >= recoveryPoint,
      `${recoveryPoint} was durable, ${logEndOffset} is left`,
    )
    while ((this.written.at(-1)?.offset ?? -1) >= logEndOffset) this.written.pop()
    this.#open.clear()
    this.#sequences.clear()
    for (const { producerId, batches, currentTxnFirstOffset } of this.log.activeProducers()) {
      const producer = producerId as Producer
      this.#sequences.set(producer, (batches.at(-1)?.lastSequence ?? -1) + 1)
      if (currentTxnFirstOffset < 0) continue
      const isOpen = ({ writer, markerOffset }: WrittenRecord) =>
        writer === producer && (markerOffset ?? logEndOffset) >= logEndOffset
      this.#open.set(producer, this.written.filter(isOpen))
    }
    for (const record of [...this.#open.values()].flat()) {
      record.isAborted = undefined
      record.markerOffset = undefined
    }
  }

  /** Cleans once; returns whether there was anything to clean. */
  async clean(): Promise<boolean> {
    const { simulation } = this.#world
    await simulation.run(() => this.log.flush())
    const startedMs = simulation.clock.now()
    const cleaned = await simulation.run(() => this.cleaner.cleanOnce())
    if (cleaned) this.noteCleaned(this.log.cleanable.cleanerOffset!, startedMs)
    return cleaned
  }

  /** Where a cleaning that began now would end, if its map were large enough. */
  cleanableEnd(): number {
    const toClean = this.log.cleanable.assess(this.#world.simulation.clock.now())
    return toClean?.firstUncleanableOffset ?? 0
  }

  /** What is below `cleanEnd` may have been removed, by a cleaning that began at `startedMs`. */
  noteCleaned(cleanEnd: number, startedMs = this.#world.simulation.clock.now()): void {
    for (const record of this.written) {
      if (record.offset < cleanEnd) record.cleanedMs ??= startedMs
    }
  }

  /**
   * Throws unless the log has what it must have, and nothing else. With `isClean`, its last
   * cleaning was not cut short, and so has removed all that it should.
   */
  async check(isClean: boolean): Promise<void> {
    const { batches, found } = await this.#read()
    this.#checkSegments(batches)
    this.#checkKept(new Set(found))
    this.#checkReadCommitted(batches, found)
    if (isClean) this.#checkRemoved(found)
  }

  async #read(): Promise<{ batches: StoredBatch[]; found: WrittenRecord[] }> {
    const batches = await readAll(this.#world, this.log)
    const stored = batches.flatMap(({ header, bytes }) =>
      (header.attributes & CONTROL_MASK) !== 0 ? [] : readRecords(bytes),
    )
    checkOrder(batches)
    const byOffset = new Map(this.written.map((record) => [record.offset, record]))
    const found = stored.map(({ offset, timestamp, key, value }) => {
      const record = byOffset.get(offset)
      const text = { key: key?.toString(), value: value?.toString() ?? null, timestamp }
      assert.deepEqual(
        text,
        record && { key: record.key, value: record.value, timestamp: record.timestamp },
        `the record at ${offset}`,
      )
      return record!
    })
    return { batches, found }
  }

  /** Throws unless all that the log holds can be read and is as it was written, in order. */
  async readable(): Promise<void> {
    await this.#read()
  }

  /** How many records the log holds, markers among them. */
  async countRecords(): Promise<number> {
    const batches = await readAll(this.#world, this.log)
    return batches.reduce((sum, { header }) => sum + header.recordCount, 0)
  }

  /** Each segment ends where the next begins: so a crash can never bring a part of it back. */
  #checkSegments(batches: readonly StoredBatch[]): void {
    const ends = new Set(
      batches.map(({ header }) => header.baseOffset + header.lastOffsetDelta + 1),
    )
    for (const { baseOffset } of this.log.cleanable.core.segments.all.slice(1)) {
      assert.ok(ends.has(baseOffset), `nothing ends where the segment ${baseOffset} begins`)
    }
  }

  /** Everything that must be there is. */
  #checkKept(found: ReadonlySet<WrittenRecord>): void {
    const now = this.#world.simulation.clock.now()
    const newest = new Map<string, WrittenRecord>()
    for (const record of this.written) {
      if (record.isAborted === false) newest.set(record.key, record)
    }
    for (const record of this.written) {
      if (found.has(record)) continue
      const { offset, cleanedMs, value, key, isAborted } = record
      assert.ok(cleanedMs !== undefined, `${offset} was never cleaned, and is gone`)
      if (isAborted === true || newest.get(key) !== record) continue
      assert.equal(value, null, `${offset} is the last of ${key}, and is gone`)
      assert.ok(now >= cleanedMs + DELETE_RETENTION_MS, `the tombstone ${offset} went too early`)
    }
  }

  /** A read_committed consumer sees what is not aborted, all of it, and nothing else. */
  #checkReadCommitted(batches: readonly StoredBatch[], found: readonly WrittenRecord[]): void {
    const { logStartOffset, lastStableOffset } = this.log
    const aborted = this.log.collectAbortedTransactions(logStartOffset, lastStableOffset)
    const seen: number[] = []
    for (const { header, bytes } of batches) {
      const { baseOffset, producerId, attributes } = header
      if (baseOffset >= lastStableOffset || (attributes & CONTROL_MASK) !== 0) continue
      const isAborted =
        (attributes & TRANSACTIONAL_MASK) !== 0 &&
        aborted.some(
          (transaction) =>
            transaction.producerId === producerId &&
            transaction.firstOffset <= baseOffset &&
            transaction.lastOffset > baseOffset,
        )
      if (!isAborted) seen.push(...readRecords(bytes).map(({ offset }) => offset))
    }
    const expected = found.filter(
      ({ offset, isAborted }) => !isAborted && offset < lastStableOffset,
    )
    assert.deepEqual(
      seen,
      expected.map(({ offset }) => offset),
    )
  }

  /** Below the cleaner's offset no key is there twice, and nothing that was aborted. */
  #checkRemoved(found: readonly WrittenRecord[]): void {
    const cleanEnd = this.log.cleanable.cleanerOffset ?? 0
    const keys = new Set<string>()
    for (const { offset, key, isAborted } of found) {
      if (offset >= cleanEnd) break
      assert.equal(isAborted, false, `${offset} was aborted, and is there`)
      assert.ok(!keys.has(key), `${key} is there twice, the second time at ${offset}`)
      keys.add(key)
    }
  }
}

function checkOrder(batches: readonly StoredBatch[]): void {
  let nextOffset = 0
  for (const { header } of batches) {
    assert.ok(header.baseOffset >= nextOffset, `${header.baseOffset} comes before ${nextOffset}`)
    nextOffset = header.baseOffset + header.lastOffsetDelta + 1
  }
}

/** Keys, tombstones, transactions that end either way, an idempotent producer: many segments. */
export function writeMixture(compacted: CompactedLog, count: number): void {
  for (let n = 0; n < count; n++) {
    const key = (index: number) => ({
      key: `key-${(n * 3 + index * 5) % 9}`,
      isTombstone: (n + index) % 7 === 0,
      size: 30,
    })
    // The last is never written again: it shows when anything of a segment is lost.
    const keys = [key(0), key(1), { ...key(2), key: `once-${n}-${compacted.log.logEndOffset}` }]
    compacted.write(keys, COMPRESSION_TYPES[n % 5]!, n % 4 === 0 ? undefined : PRODUCERS[n % 4])
    if (n % 8 === 5) compacted.endTransaction(3, n % 3 === 0)
    if (n % 8 === 7) compacted.endTransaction(4, n % 3 !== 0)
  }
}
