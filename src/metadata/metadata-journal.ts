/**
 * The embedded store's journal: a file of transactions, each in a frame with a checksum.
 *
 * ```
 * header  magic "SAMSAMJ1", first zxid int64, link uint32, CRC32C uint32 of the bytes before
 * frame   CRC32C uint32, payload length uint32, payload
 * payload zxid int64, time int64, effects uint32, then for each: type uint8, path, data, owner
 * ```
 * All numbers are big-endian; a path or data is its length (uint32) and its bytes.
 *
 * A frame's checksum continues the one of the frame before it, the first one the header's. Hence a
 * frame is valid only as the successor of exactly the history in front of it. After a power cut a
 * disk may hold a frame that was written later but not the ones before it, or bytes of a tail that
 * had been cut off; neither can pass for history. Reading stops at the first frame that is not
 * valid: it was never acknowledged, for a sync covers all frames before it.
 *
 * `link` is the chained checksum at the end of the previous journal file, for the same reason.
 */
import { crc32c } from '../common/crc32c.ts'
import type { Disk, DiskFile } from '../common/disk.ts'
import type { Effect } from './node-tree.ts'

const MAGIC = Buffer.from('SAMSAMJ1', 'latin1')
export const JOURNAL_HEADER_SIZE = 24
const FRAME_OVERHEAD = 8
const MIN_PAYLOAD_SIZE = 20

const EFFECT_TYPES = ['create', 'set', 'delete'] as const

export interface JournalTransaction {
  readonly zxid: number
  readonly timeMs: number
  readonly effects: readonly Effect[]
}

/** What a journal file holds, up to the first byte that is not valid. */
export interface JournalContents {
  readonly firstZxid: number
  readonly link: number
  readonly transactions: JournalTransaction[]
  /** The checksum that the next frame continues. */
  readonly chain: number
  /** Where the next frame goes. */
  readonly endPosition: number
}

/** A journal file that is open for appending. */
export class MetadataJournal {
  readonly path: string
  readonly #file: DiskFile
  #endPosition: number
  #chain: number

  private constructor(path: string, file: DiskFile, endPosition: number, chain: number) {
    this.path = path
    this.#file = file
    this.#endPosition = endPosition
    this.#chain = chain
  }

  /** Makes an empty journal. It is safe from a power cut after `sync` and a sync of its folder. */
  static create(disk: Disk, path: string, firstZxid: number, link: number): MetadataJournal {
    const header = Buffer.alloc(JOURNAL_HEADER_SIZE)
    MAGIC.copy(header)
    header.writeBigInt64BE(BigInt(firstZxid), 8)
    header.writeUInt32BE(link, 16)
    const chain = crc32c(header, 0, 20)
    header.writeUInt32BE(chain, 20)
    const file = disk.open(path, { create: true })
    try {
      file.truncate(0)
      file.writeSync([header], 0)
    } catch (error) {
      file.close()
      throw error
    }
    return new MetadataJournal(path, file, JOURNAL_HEADER_SIZE, chain)
  }

  /** Opens a journal to go on after what `contents` found in it; anything beyond is cut off. */
  static reopen(disk: Disk, path: string, contents: JournalContents): MetadataJournal {
    const file = disk.open(path)
    try {
      if (file.size() > contents.endPosition) file.truncate(contents.endPosition)
    } catch (error) {
      file.close()
      throw error
    }
    return new MetadataJournal(path, file, contents.endPosition, contents.chain)
  }

  /** In bytes, the header included. */
  get size(): number {
    return this.#endPosition
  }

  get chain(): number {
    return this.#chain
  }

  /**
   * Writes a transaction, which is durable after the next `sync`. Throws DiskError, then as before.
   */
  append(transaction: JournalTransaction): void {
    const frame = encodeFrame(transaction)
    const crc = crc32c(frame, 4, frame.length, this.#chain)
    frame.writeUInt32BE(crc, 0)
    // After a failed write the next one goes to the same place, and parts of this frame beyond it
    // are not valid there, so nothing needs to be cleaned up.
    this.#file.writeSync([frame], this.#endPosition)
    this.#endPosition += frame.length
    this.#chain = crc
  }

  /** Makes everything appended before the call durable. */
  sync(): Promise<void> {
    return this.#file.sync()
  }

  close(): void {
    this.#file.close()
  }
}

function encodeFrame(transaction: JournalTransaction): Buffer {
  let size = FRAME_OVERHEAD + MIN_PAYLOAD_SIZE
  for (const effect of transaction.effects) {
    size += 17 + Buffer.byteLength(effect.path)
    if (effect.type !== 'delete') size += effect.data.length
  }
  const frame = Buffer.allocUnsafe(size)
  frame.writeUInt32BE(size - FRAME_OVERHEAD, 4)
  frame.writeBigInt64BE(BigInt(transaction.zxid), 8)
  frame.writeBigInt64BE(BigInt(transaction.timeMs), 16)
  frame.writeUInt32BE(transaction.effects.length, 24)
  let at = FRAME_OVERHEAD + MIN_PAYLOAD_SIZE
  for (const effect of transaction.effects) {
    frame[at] = EFFECT_TYPES.indexOf(effect.type)
    const pathLength = frame.write(effect.path, at + 5)
    frame.writeUInt32BE(pathLength, at + 1)
    at += 5 + pathLength
    const data = effect.type === 'delete' ? undefined : effect.data
    frame.writeUInt32BE(data?.length ?? 0, at)
    if (data !== undefined) frame.set(data, at + 4)
    at += 4 + (data?.length ?? 0)
    frame.writeBigInt64BE(BigInt(effect.type === 'create' ? effect.ephemeralOwner : 0), at)
    at += 8
  }
  return frame
}

/** Reads a journal file's bytes. Undefined where not even the header is valid. */
export function readJournal(bytes: Buffer): JournalContents | undefined {
  if (bytes.length < JOURNAL_HEADER_SIZE || !MAGIC.equals(bytes.subarray(0, 8))) return undefined
  let chain = crc32c(bytes, 0, 20)
  if (bytes.readUInt32BE(20) !== chain) return undefined
  const transactions: JournalTransaction[] = []
  let at = JOURNAL_HEADER_SIZE
  while (at + FRAME_OVERHEAD + MIN_PAYLOAD_SIZE <= bytes.length) {
    const end = at + FRAME_OVERHEAD + bytes.readUInt32BE(at + 4)
    if (end > bytes.length || end < at + FRAME_OVERHEAD + MIN_PAYLOAD_SIZE) break
    const crc = crc32c(bytes, at + 4, end, chain)
    if (bytes.readUInt32BE(at) !== crc) break
    transactions.push(decodePayload(bytes, at + FRAME_OVERHEAD))
    chain = crc
    at = end
  }
  return {
    firstZxid: Number(bytes.readBigInt64BE(8)),
    link: bytes.readUInt32BE(16),
    transactions,
    chain,
    endPosition: at,
  }
}

/** Decodes a payload whose checksum was right, so that it is as it was written. */
function decodePayload(bytes: Buffer, start: number): JournalTransaction {
  const effectCount = bytes.readUInt32BE(start + 16)
  const effects: Effect[] = []
  let at = start + MIN_PAYLOAD_SIZE
  for (let index = 0; index < effectCount; index++) {
    const type = EFFECT_TYPES[bytes[at]!]
    const pathEnd = at + 5 + bytes.readUInt32BE(at + 1)
    const path = bytes.toString('utf8', at + 5, pathEnd)
    const dataEnd = pathEnd + 4 + bytes.readUInt32BE(pathEnd)
    // A copy: a view would keep the whole file's bytes in memory for as long as the node lives.
    const data = Buffer.from(bytes.subarray(pathEnd + 4, dataEnd))
    if (type === 'create') {
      effects.push({ type, path, data, ephemeralOwner: Number(bytes.readBigInt64BE(dataEnd)) })
    } else if (type === 'set') {
      effects.push({ type, path, data })
    } else if (type === 'delete') {
      effects.push({ type, path })
    } else {
      throw new Error(`the metadata journal has an effect of the unknown type ${bytes[at]}`)
    }
    at = dataEnd + 8
  }
  return {
    zxid: Number(bytes.readBigInt64BE(start)),
    timeMs: Number(bytes.readBigInt64BE(start + 8)),
    effects,
  }
}
