/**
 * Kafka's checkpoint files: small text files that are replaced as a whole.
 *
 * ```
 * 0                 version, always 0
 * 2                 number of entries
 * orders 0 4711     one entry a line, fields separated by blanks
 * orders 1 4608
 * ```
 * Used for offsets per partition (`recovery-point-offset-checkpoint` and its siblings: topic,
 * partition, offset) and for leader epochs (`leader-epoch-checkpoint`: epoch, start offset).
 * A replaced file holds, after a crash, all of the old entries or all of the new.
 */
import { type Disk, readWholeFile, replaceFile } from '../common/disk.ts'

/** The fields of one line. */
export type CheckpointLine = readonly (string | number)[]

/** A checkpoint file whose contents are not in the format: the message says where. */
export class MalformedCheckpointError extends Error {
  constructor(path: string, what: string) {
    super(`Malformed checkpoint file ${path}: ${what}`)
    this.name = 'MalformedCheckpointError'
  }
}

/** The entries of the file at `path`: none where it is missing or empty. Throws if malformed. */
export function readCheckpoint(disk: Disk, path: string, fieldCount: number): string[][] {
  const text = readWholeFile(disk, path)?.toString('latin1')
  if (text === undefined || text === '') return []
  const lines = text.split('\n')
  if (lines[0]!.trim() !== '0') throw new MalformedCheckpointError(path, 'unknown version')
  const expected = Number(lines[1])
  const entries = lines
    .slice(2)
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/))
  if (!/^\d+\s*$/.test(lines[1] ?? '') || entries.length !== expected) {
    throw new MalformedCheckpointError(path, 'the number of entries is not what line 2 says')
  }
  for (const fields of entries) {
    if (fields.length !== fieldCount) {
      throw new MalformedCheckpointError(path, `"${fields.join(' ')}" has not ${fieldCount} fields`)
    }
  }
  return entries
}

/** Replaces the file at `path`, durably. */
export function writeCheckpoint(
  disk: Disk,
  path: string,
  entries: readonly CheckpointLine[],
): Promise<void> {
  const lines = ['0', String(entries.length), ...entries.map((fields) => fields.join(' '))]
  return replaceFile(disk, path, Buffer.from(`${lines.join('\n')}\n`, 'latin1'))
}

/** Reads a checkpoint of offsets per partition. The keys are `topic-partition`. */
export function readOffsetCheckpoint(disk: Disk, path: string): Map<string, number> {
  const offsets = new Map<string, number>()
  for (const [topic, partition, offset] of readCheckpoint(disk, path, 3)) {
    const value = Number(offset)
    if (!Number.isSafeInteger(value) || !/^\d+$/.test(partition!)) {
      throw new MalformedCheckpointError(path, `"${topic} ${partition} ${offset}" is no offset`)
    }
    offsets.set(`${topic}-${partition}`, value)
  }
  return offsets
}

/** The reverse of `readOffsetCheckpoint`. */
export function writeOffsetCheckpoint(
  disk: Disk,
  path: string,
  offsets: ReadonlyMap<string, number>,
): Promise<void> {
  const lines: CheckpointLine[] = []
  for (const [key, offset] of offsets) {
    const dash = key.lastIndexOf('-')
    lines.push([key.slice(0, dash), key.slice(dash + 1), offset])
  }
  return writeCheckpoint(disk, path, lines)
}
