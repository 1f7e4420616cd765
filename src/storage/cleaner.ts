/**
 * Cleans one log, once: goes through its dirty part and notes the last offset of each key, then
 * copies all segments up to there, without what has been replaced, into new ones, and puts these in
 * their place.
 *
 * Everything is done in slices of one read, between which others have their turn, and memory is
 * bounded: one such piece, and the offset map. A new segment is written completely and synced
 * before any name changes; what happens to a crash in between is told at SegmentList.replace.
 *
 * Nothing is locked. After each slice a cleaning looks whether the log has been cut, closed or
 * deleted, or a segment of it removed, and is then given up (CleaningAborted); putting a segment in
 * place is one step that nothing can come between. Readers keep the files that they have open.
 */
import { KafkaError } from '../common/errors.ts'
import { CONTROL_MASK, readRecordBatchHeader } from '../protocol/records/record-batch.ts'
import { decompressRecords } from './batch-compression.ts'
import { BatchFilter, checkedHeader } from './batch-filter.ts'
import { type CleanableLog, CleaningAborted, type LogToClean } from './cleanable-log.ts'
import { CleanedTransactions } from './cleaned-transactions.ts'
import { CLEANED_SUFFIX, SEGMENT_SUFFIXES, segmentFile } from './file-names.ts'
import type { IoThrottle } from './io-throttle.ts'
import type { LogConfig } from './log-config.ts'
import { newSegment } from './log-context.ts'
import type { LogCore } from './log-core.ts'
import type { LogSegment, NewBatch } from './log-segment.ts'
import { OffsetMap } from './offset-map.ts'
import { RecordWalker } from './record-walker.ts'
import { groupSegments } from './segment-groups.ts'
import { type ScanPace, scanBatches } from './segment-reader.ts'
import { largestTimestampOf } from './time-index.ts'
import { readMarker } from './transaction-marker.ts'

/** The time that a slice should take, and the size of the smallest. */
const SLICE_MS = 4
const MIN_SLICE_BYTES = 16 * 1024

/** What a cleaning may use. */
export interface CleaningMeans {
  /** For the offset map. */
  readonly mapBytes: number
  readonly mapLoadFactor: number
  /** Size of one read, at most. */
  readonly ioBufferBytes: number
  readonly throttle: IoThrottle
  /** The cleaner is to stop. */
  readonly isStopping: () => boolean
}

/** What a cleaning has done. */
export interface CleaningResult {
  /** From here on the log is dirty now. */
  readonly endOffset: number
  /** Read to fill the map. */
  readonly mappedBytes: number
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly recordsRead: number
  readonly recordsKept: number
}

/**
 * Cleans what `toClean` says. Throws CleaningAborted; KafkaErrors where the log is damaged; and
 * DiskErrors, also for a full disk, which does the log no harm. It can be used on after all.
 */
export function cleanLog(
  log: CleanableLog,
  toClean: LogToClean,
  means: CleaningMeans,
): Promise<CleaningResult> {
  return new Cleaning(log, toClean, means).run()
}

class Cleaning {
  readonly #log: CleanableLog
  readonly #core: LogCore
  readonly #config: LogConfig
  readonly #toClean: LogToClean
  readonly #means: CleaningMeans
  readonly #generation: number
  /** Size of the next slice: 100 KiB may stand for megabytes where they are compressed. */
  #sliceBytes = MIN_SLICE_BYTES
  #mappedBytes = 0
  #bytesRead = 0
  #bytesWritten = 0

  constructor(log: CleanableLog, toClean: LogToClean, means: CleaningMeans) {
    this.#log = log
    this.#core = log.core
    this.#config = log.core.config
    this.#toClean = toClean
    this.#means = means
    this.#generation = log.core.generation
  }

  async run(): Promise<CleaningResult> {
    this.#check([])
    // A marker decides over records far below it. If a power cut took it, and the transaction ended
    // the other way, what was removed on its word would be missing.
    await this.#core.flusher.flush(this.#core.logEndOffset)
    this.#check([])
    const { clock } = this.#core.context
    const nowMs = clock.now()
    const { map, latestOffset } = await this.#buildMap()
    const endOffset = latestOffset + 1
    const segments = this.#log.segmentsBelow(endOffset)
    if (segments.length === 0) throw new CleaningAborted(this.#core.name)
    // The last segment is copied whole, also where the map covers only its beginning.
    const copiedEnd = this.#core.segments.after(segments.at(-1)!.baseOffset)!.baseOffset
    let target: LogSegment | undefined
    const filter = new BatchFilter({
      map,
      latestOffset,
      transactions: new CleanedTransactions(
        this.#log.abortedTransactions(segments[0]!.baseOffset, copiedEnd),
        (transaction) => target!.transactionIndex.append(transaction),
      ),
      nowMs,
      deleteRetentionMs: this.#config.deleteRetentionMs,
      maxMessageBytes: this.#config.maxMessageBytes,
    })
    for (const group of groupSegments(segments, copiedEnd, this.#config)) {
      target = this.#newSegment(group[0]!.baseOffset, CLEANED_SUFFIX)
      await this.#cleanGroup(group, target, filter)
    }
    await this.#log.checkpoint(endOffset)
    const { recordsRead, recordsKept } = filter
    const bytes = {
      mappedBytes: this.#mappedBytes,
      bytesRead: this.#bytesRead,
      bytesWritten: this.#bytesWritten,
    }
    return { endOffset, ...bytes, recordsRead, recordsKept }
  }

  /** Throws CleaningAborted unless the log is still the one it was, with all these segments. */
  #check(segments: readonly LogSegment[]): void {
    const { isOnline, isTruncating, generation, name } = this.#core
    const isSame = isOnline && !isTruncating && generation === this.#generation
    const isWhole = segments.every((segment) => !segment.isRemoved)
    if (!isSame || !isWhole || this.#means.isStopping()) throw new CleaningAborted(name)
  }

  /**
   * The last offset of each key in the dirty part, as far as the map can hold its keys: up to
   * `latestOffset`.
   */
  async #buildMap(): Promise<{ map: OffsetMap; latestOffset: number }> {
    const { firstDirtyOffset, firstUncleanableOffset } = this.#toClean
    const { mapBytes, mapLoadFactor } = this.#means
    const map = new OffsetMap({
      secret: this.#core.context.random.bytes(16),
      baseOffset: firstDirtyOffset,
      expectedKeys: firstUncleanableOffset - firstDirtyOffset,
      maxBytes: mapBytes,
      loadFactor: mapLoadFactor,
    })
    const aborted = this.#log.abortedTransactions(firstDirtyOffset, firstUncleanableOffset)
    const mapper = new KeyMapper(map, firstDirtyOffset, aborted, this.#config.maxMessageBytes)
    const segments = this.#log.segmentsBelow(firstUncleanableOffset)
    const firstDirty = segments.findLastIndex(({ baseOffset }) => baseOffset <= firstDirtyOffset)
    const dirty = segments.slice(Math.max(firstDirty, 0))
    for (const [index, segment] of dirty.entries()) {
      this.#check([segment])
      const from = segment.offsetIndex.lookup(firstDirtyOffset)
      await this.#scan(segment, from, (bytes, at, size) => {
        this.#mappedBytes += size
        return mapper.add(bytes.subarray(at, at + size))
      })
      if (mapper.isFull) break
      mapper.latestOffset = (dirty[index + 1]?.baseOffset ?? firstUncleanableOffset) - 1
    }
    const { latestOffset } = mapper
    if (latestOffset < firstDirtyOffset) {
      const reason = `One batch has more keys than ${mapBytes} bytes of map can hold`
      throw new KafkaError('UNKNOWN_SERVER_ERROR', reason)
    }
    return { map, latestOffset }
  }

  async #cleanGroup(
    group: readonly LogSegment[],
    target: LogSegment,
    filter: BatchFilter,
  ): Promise<void> {
    const core = this.#core
    const { segments, context, directory, producers } = core
    this.#check(group)
    filter.noteProducers(producers.entries())
    try {
      target.create(0)
      const last = group.findLast(({ sizeInBytes }) => sizeInBytes > 0)
      for (const segment of group) await this.#cleanInto(target, segment, segment === last, filter)
      target.finish()
      await target.sync()
      this.#check(group)
    } catch (error) {
      target.close()
      if (core.isOnline) this.#removeCleaned(target.baseOffset)
      throw error
    }
    target.close()
    const endOffset = segments.after(group.at(-1)!.baseOffset)!.baseOffset
    core.guard(() => {
      const open = (baseOffset: number) => this.#attach(baseOffset)
      segments.replace(group, open, this.#config.fileDeleteDelayMs)
    })
    // Aborted records may be gone from the transaction index, and must not come from memory then.
    core.tail.forgetBelow(endOffset)
    await context.disk.syncDirectory(directory)
    // A log that was cut meanwhile may not be said to be clean beyond the cut.
    this.#check([])
  }

  async #cleanInto(
    target: LogSegment,
    segment: LogSegment,
    isLast: boolean,
    filter: BatchFilter,
  ): Promise<void> {
    const { indexIntervalBytes } = this.#config
    let pending: NewBatch[] = []
    const write = (): number => {
      const sizeBefore = target.sizeInBytes
      if (pending.length > 0) target.append(pending, indexIntervalBytes)
      pending = []
      return target.sizeInBytes - sizeBefore
    }
    this.#check([segment])
    const visit = (bytes: Buffer, at: number, size: number, position: number) => {
      const endsLog = isLast && position + size === segment.sizeInBytes
      const kept = filter.filter(bytes, at, size, endsLog)
      if (kept !== undefined) pending.push(asNewBatch(kept))
      this.#bytesRead += size
      return true
    }
    await this.#scan(segment, 0, visit, async () => {
      const written = write()
      this.#bytesWritten += written
      await this.#means.throttle.spend(written)
    })
  }

  /** Visits batches to the end of the segment, or to where one is not accepted. */
  async #scan(
    segment: LogSegment,
    from: number,
    visit: (bytes: Buffer, at: number, size: number, position: number) => boolean,
    afterRead: () => Promise<void> = async () => {},
  ): Promise<void> {
    const { slabs, clock } = this.#core.context
    const { ioBufferBytes, throttle } = this.#means
    const to = segment.sizeInBytes
    let isRefused = false
    let startedMs: number | undefined
    const pace: ScanPace = {
      maxBytesPerRead: ioBufferBytes,
      bytesPerRead: () => Math.min(this.#sliceBytes, ioBufferBytes),
      afterRead: async (sizeInBytes) => {
        this.#adaptSlice(clock.monotonic() - startedMs!)
        startedMs = undefined
        await afterRead()
        await throttle.spend(sizeInBytes)
        this.#check([segment])
      },
    }
    const visitor = (bytes: Buffer, at: number, size: number, position: number) => {
      startedMs ??= clock.monotonic()
      isRefused = !visit(bytes, at, size, position)
      return !isRefused
    }
    const end = await scanBatches(segment, { from, to }, slabs, visitor, pace)
    if (end === to || isRefused) return
    throw new KafkaError('CORRUPT_MESSAGE', `${segment.path} is damaged near byte ${end}`)
  }

  #adaptSlice(tookMs: number): void {
    const larger = Math.min(this.#sliceBytes * 2, this.#means.ioBufferBytes)
    const smaller = this.#sliceBytes / 2
    if (tookMs < SLICE_MS / 2) this.#sliceBytes = Math.max(larger, MIN_SLICE_BYTES)
    if (tookMs > SLICE_MS) this.#sliceBytes = Math.max(smaller, MIN_SLICE_BYTES)
  }

  #newSegment(baseOffset: number, suffix = ''): LogSegment {
    const { context, directory } = this.#core
    return newSegment(context, directory, baseOffset, this.#config, suffix)
  }

  #attach(baseOffset: number): LogSegment {
    const segment = this.#newSegment(baseOffset)
    if (!segment.attach()) throw new Error(`the indexes of ${segment.path} are not as written`)
    return segment
  }

  #removeCleaned(baseOffset: number): void {
    const { context, directory } = this.#core
    for (const suffix of SEGMENT_SUFFIXES) {
      context.disk.remove(segmentFile(directory, baseOffset, suffix + CLEANED_SUFFIX))
    }
  }
}

/** Enters keys into the offset map, batch by batch. */
class KeyMapper {
  /** All records up to here are in the map. */
  latestOffset: number
  isFull = false
  readonly #map: OffsetMap
  readonly #firstDirtyOffset: number
  readonly #transactions: CleanedTransactions
  readonly #maxMessageBytes: number
  readonly #walker = new RecordWalker()

  constructor(
    map: OffsetMap,
    firstDirtyOffset: number,
    aborted: ConstructorParameters<typeof CleanedTransactions>[0],
    maxMessageBytes: number,
  ) {
    this.#map = map
    this.#firstDirtyOffset = firstDirtyOffset
    this.latestOffset = firstDirtyOffset - 1
    this.#transactions = new CleanedTransactions(aborted)
    this.#maxMessageBytes = maxMessageBytes
  }

  /** Returns false where the map is full, which may be in the midst of the batch. */
  add(batch: Buffer): boolean {
    const header = checkedHeader(batch)
    const lastOffset = header.baseOffset + header.lastOffsetDelta
    if ((header.attributes & CONTROL_MASK) !== 0) {
      this.#transactions.passControl(header, readMarker(batch, 0, header))
    } else if (!this.#transactions.passData(header) && header.recordCount > 0) {
      const content = decompressRecords(batch, header, this.#maxMessageBytes)
      if (!this.#addRecords(content, header.baseOffset)) return false
    }
    if (lastOffset >= this.#firstDirtyOffset) this.latestOffset = lastOffset
    return true
  }

  #addRecords(content: Uint8Array, baseOffset: number): boolean {
    const walker = this.#walker
    walker.start(content, 0, content.length)
    while (walker.next()) {
      const offset = baseOffset + walker.offsetDelta
      if (walker.keyLength < 0 || offset < this.#firstDirtyOffset) continue
      this.isFull = this.#map.size === this.#map.capacity
      if (this.isFull) return false
      this.#map.put(content, walker.keyAt, walker.keyLength, offset)
    }
    return true
  }
}

function asNewBatch(bytes: Buffer): NewBatch {
  const header = readRecordBatchHeader(bytes, 0)
  const lastOffset = header.baseOffset + header.lastOffsetDelta
  return { bytes, lastOffset, maxTimestamp: largestTimestampOf(header) }
}
