/**
 * What all logs of a broker share: the world outside, and the pools and caches in common.
 */
import type { Clock } from '../common/clock.ts'
import type { Disk } from '../common/disk.ts'
import type { Logger } from '../common/logger.ts'
import type { Random } from '../common/random.ts'
import type { SlabPool } from '../common/slab.ts'
import type { LogConfig } from './log-config.ts'
import { LogSegment } from './log-segment.ts'
import type { TailCache } from './tail-cache.ts'

export interface LogContext {
  readonly clock: Clock
  readonly disk: Disk
  readonly random: Random
  readonly logger: Logger
  readonly slabs: SlabPool
  readonly tailCache: TailCache
  /** `producer.id.expiration.ms` */
  readonly producerIdExpirationMs: () => number
}

/** A segment object, which has yet to create or attach its files; their names end in `suffix`. */
export function newSegment(
  context: LogContext,
  directory: string,
  baseOffset: number,
  config: LogConfig,
  suffix = '',
): LogSegment {
  const jitterMs = Math.min(config.segmentJitterMs, config.segmentMs)
  return new LogSegment(context.disk, directory, baseOffset, {
    suffix,
    createdMs: context.clock.now(),
    rollJitterMs: jitterMs > 0 ? context.random.int(Math.min(jitterMs, 2 ** 48 - 1)) : 0,
  })
}
