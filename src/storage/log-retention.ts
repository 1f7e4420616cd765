/**
 * Decides how much of the beginning of a log is to go: by `retention.ms`, by `retention.bytes`, and
 * what lies below the log start offset.
 *
 * Whole segments go, oldest first, and never one that reaches above the high watermark: a record
 * that is not fully replicated is not old. The active segment may be among them; the log then rolls
 * first.
 */
import type { LogConfig } from './log-config.ts'
import type { LogSegment } from './log-segment.ts'

/** Returns how many of `segments`, from the first on, retention lets go. */
export function countExpired(
  segments: readonly LogSegment[],
  limits: { highWatermark: number; logEndOffset: number },
  config: LogConfig,
  nowMs: number,
): number {
  if (!config.cleanupPolicy.includes('delete')) return 0
  const bySize = countFrom(segments, limits, exceedsSize(segments, config.retentionBytes))
  const byTime = countFrom(segments, limits, (segment) => {
    return config.retentionMs >= 0 && nowMs - segment.largestTimestamp() > config.retentionMs
  })
  return Math.max(bySize, byTime)
}

/** How many segments lie wholly below `logStartOffset`. The active one is never among them. */
export function countBelowStart(segments: readonly LogSegment[], logStartOffset: number): number {
  let count = 0
  while (count + 1 < segments.length && segments[count + 1]!.baseOffset <= logStartOffset) count++
  return count
}

function exceedsSize(segments: readonly LogSegment[], retentionBytes: number) {
  let excess = -retentionBytes
  for (const segment of segments) excess += segment.sizeInBytes
  return (segment: LogSegment) => {
    if (retentionBytes < 0 || excess < segment.sizeInBytes) return false
    excess -= segment.sizeInBytes
    return true
  }
}

function countFrom(
  segments: readonly LogSegment[],
  limits: { highWatermark: number; logEndOffset: number },
  mayGo: (segment: LogSegment) => boolean,
): number {
  let count = 0
  for (const segment of segments) {
    const next = segments[count + 1]
    const end = next?.baseOffset ?? limits.logEndOffset
    if (next === undefined && segment.sizeInBytes === 0) break
    if (end > limits.highWatermark || !mayGo(segment)) break
    count += 1
  }
  return count
}
