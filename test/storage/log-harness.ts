/**
 * What the tests of the log share: a simulated world to open logs in, and batches to put into them.
 */
import { SimulatedDisk } from '../../sim/simulated-disk.ts'
import { Simulation } from '../../sim/simulation.ts'
import { crc32c } from '../../src/common/crc32c.ts'
import { silentLogger } from '../../src/common/logger.ts'
import { garbageCollected, SlabPool } from '../../src/common/slab.ts'
import {
  ATTRIBUTES_AT,
  type RecordBatchHeader,
  readRecordBatchHeader,
} from '../../src/protocol/records/record-batch.ts'
import {
  type NewRecord,
  type RecordBatchOptions,
  RecordBatchWriter,
} from '../../src/protocol/records/record-batch-writer.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/storage/log-config.ts'
import type { LogContext } from '../../src/storage/log-context.ts'
import {
  type AppendOptions,
  type LogAppendInfo,
  PartitionLog,
  type PartitionLogOptions,
} from '../../src/storage/partition-log.ts'
import { TailCache } from '../../src/storage/tail-cache.ts'

export const LOG_DIRECTORY = '/data'

export interface World {
  readonly simulation: Simulation
  readonly disk: SimulatedDisk
  readonly slabs: SlabPool
  /** A context with an empty cache, as a new process has it. */
  newContext(tailCacheBytes?: number): LogContext
}

export function makeWorld(seed = 1, nameLoss: 'ordered' | 'perDirectory' = 'ordered'): World {
  const simulation = new Simulation({ seed })
  const { clock, random } = simulation
  const disk = new SimulatedDisk({ clock, random: random.fork(), nameLoss })
  disk.makeDirectory(LOG_DIRECTORY)
  disk.settle()
  const slabs = new SlabPool({ poison: true })
  return {
    simulation,
    disk,
    slabs,
    newContext: (tailCacheBytes = 1024 * 1024) => ({
      clock,
      disk,
      random,
      logger: silentLogger,
      slabs,
      tailCache: new TailCache({ maxBytes: tailCacheBytes, slabs }),
      producerIdExpirationMs: () => Number.POSITIVE_INFINITY,
    }),
  }
}

/** Opens the log `t-0`. Segments are small, and indexes dense, unless `config` says otherwise. */
export function openLog(
  world: World,
  context: LogContext,
  options: Partial<PartitionLogOptions> = {},
): Promise<PartitionLog> {
  return world.simulation.run(() =>
    PartitionLog.open(context, {
      topic: 't',
      partition: 0,
      logDirectory: LOG_DIRECTORY,
      hadCleanShutdown: false,
      ...options,
      config: smallSegments(options.config),
    }),
  )
}

export function smallSegments(config: Partial<LogConfig> = {}): LogConfig {
  const base = { ...DEFAULT_LOG_CONFIG, messageTimestampAfterMaxMs: Number.POSITIVE_INFINITY }
  return { ...base, segmentBytes: 2000, indexIntervalBytes: 200, ...config }
}

export interface BatchShape extends RecordBatchOptions {
  readonly count?: number
  readonly valueBytes?: number
  readonly timestamps?: readonly number[]
  readonly key?: Buffer | null
}

/** A batch as a producer sends it. The values tell batches apart. */
export function makeBatch(shape: BatchShape = {}): Buffer {
  const writer = new RecordBatchWriter(shape)
  const timestamps = shape.timestamps ?? new Array<number>(shape.count ?? 1).fill(1000)
  for (const timestamp of timestamps) {
    const record: NewRecord = {
      timestamp,
      key: shape.key ?? null,
      value: Buffer.alloc(shape.valueBytes ?? 20, String(batchNumber++ % 10_000)),
    }
    writer.append(record)
  }
  return writer.finish()
}

let batchNumber = 0

/** Appends without a slab behind the memory. */
export function append(
  log: PartitionLog,
  batch: Buffer,
  options: Partial<AppendOptions> = {},
): LogAppendInfo {
  const lease = garbageCollected(batch)
  return log.append(batch, { leaderEpoch: 0, origin: 'client', lease, ...options })
}

export interface StoredBatch {
  readonly header: RecordBatchHeader
  readonly bytes: Buffer
}

/** The batches in `bytes`, which must all be sound. */
export function parseBatches(bytes: Buffer): StoredBatch[] {
  const batches: StoredBatch[] = []
  for (let at = 0; at < bytes.length; ) {
    const header = readRecordBatchHeader(bytes, at)
    const end = at + header.sizeInBytes
    if (end > bytes.length) throw new Error(`a torn batch at offset ${header.baseOffset}`)
    if (crc32c(bytes, at + ATTRIBUTES_AT, end) !== header.crc) {
      throw new Error(`a corrupt batch at offset ${header.baseOffset}`)
    }
    batches.push({ header, bytes: Buffer.from(bytes.subarray(at, end)) })
    at = end
  }
  return batches
}

/** Everything from `from` on that can be read, in reads of at most `maxBytes`. */
export async function readAll(
  world: World,
  log: PartitionLog,
  from = log.logStartOffset,
  maxBytes = 700,
): Promise<StoredBatch[]> {
  const batches: StoredBatch[] = []
  for (let offset = from; offset < log.logEndOffset; ) {
    const read = await world.simulation.run(async () =>
      log.read(offset, maxBytes, { maxOffset: log.logEndOffset, minOneBatch: true }),
    )
    const parsed = parseBatches(Buffer.concat(read.chunks))
    if (parsed.length === 0) break
    batches.push(...parsed)
    offset = read.nextOffset
    read.release()
  }
  return batches
}
