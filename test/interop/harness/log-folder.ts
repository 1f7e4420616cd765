/** Looks into a partition's folder on disk, with an eye that shares no code with the broker. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Codec, codecs } from './clients.ts'

/** The files of a partition whose names end so, in the order of their base offsets. */
export function partitionFiles(dataFolder: string, partition: string, ending: string): string[] {
  return readdirSync(join(dataFolder, partition))
    .filter((name) => /^\d{20}\./.test(name) && name.endsWith(ending))
    .sort()
    .map((name) => join(dataFolder, partition, name))
}

/** How many records of each codec the batches in a partition's segments hold. */
export function recordsByCodec(dataFolder: string, partition: string): Map<Codec, number> {
  const counts = new Map<Codec, number>()
  for (const path of partitionFiles(dataFolder, partition, '.log')) {
    const segment = readFileSync(path)
    // Base offset 8, length 4, leader epoch 4, magic 1, CRC 4, attributes 2, …, count at byte 57.
    for (let at = 0; at + 61 <= segment.length; at += 12 + segment.readInt32BE(at + 8)) {
      if (segment.readInt32BE(at + 8) === 0) break
      const codec = codecs[segment.readInt16BE(at + 21) & 7]
      if (codec === undefined) throw new Error(`${path}: an unknown codec at byte ${at}`)
      counts.set(codec, (counts.get(codec) ?? 0) + segment.readInt32BE(at + 57))
    }
  }
  return counts
}
