/**
 * Which segments are cleaned into one: neighbours, as many as fit, so that segments do not get ever
 * smaller with each cleaning.
 */
import type { LogConfig } from './log-config.ts'
import type { LogSegment } from './log-segment.ts'

/** An index holds offsets relative to the segment's first as an int32. */
const MAX_OFFSET_RANGE = 0x7fff_ffff
/** Putting the new segment in place takes some renames for each old one, all in one go. */
const MAX_SEGMENTS = 100

/** Groups `segments`, which follow each other; the last one ends below `endOffset`. */
export function groupSegments(
  segments: readonly LogSegment[],
  endOffset: number,
  config: LogConfig,
): LogSegment[][] {
  const groups: LogSegment[][] = []
  let sizes = { log: 0, offsetIndex: 0, timeIndex: 0 }
  for (const [index, segment] of segments.entries()) {
    const group = groups.at(-1)
    const own = sizesOf(segment)
    const sum = {
      log: sizes.log + own.log,
      offsetIndex: sizes.offsetIndex + own.offsetIndex,
      timeIndex: sizes.timeIndex + own.timeIndex,
    }
    const lastOffset = (segments[index + 1]?.baseOffset ?? endOffset) - 1
    const fits =
      group !== undefined &&
      group.length < MAX_SEGMENTS &&
      sum.log <= config.segmentBytes &&
      sum.offsetIndex <= config.maxIndexSizeBytes &&
      sum.timeIndex <= config.maxIndexSizeBytes &&
      (own.log === 0 || lastOffset - group[0]!.baseOffset <= MAX_OFFSET_RANGE)
    if (fits) group.push(segment)
    else groups.push([segment])
    sizes = fits ? sum : own
  }
  return groups
}

function sizesOf(segment: LogSegment) {
  const { sizeInBytes: log, offsetIndex, timeIndex } = segment
  return {
    log,
    offsetIndex: offsetIndex.file.count * offsetIndex.file.entrySize,
    timeIndex: timeIndex.file.count * timeIndex.file.entrySize,
  }
}
