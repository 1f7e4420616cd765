/**
 * The embedded store's snapshot: a file with every node as of one transaction, so that the journals
 * before it can go.
 *
 * ```
 * magic "SAMSAMS1", zxid int64, link uint32, nodes uint32, then each node, CRC32C uint32 of all
 * ```
 * `link` is the checksum at the end of the journal that ended with this transaction; the journal
 * that goes on from here names it too. The file is written beside the old one and renamed, so that
 * there is always one that is whole.
 */
import type { Clock } from '../common/clock.ts'
import { sleep } from '../common/clock.ts'
import { crc32c } from '../common/crc32c.ts'
import type { Disk } from '../common/disk.ts'
import { NodeTree, type TreeNode } from './node-tree.ts'

const MAGIC = Buffer.from('SAMSAMS1', 'latin1')
const HEADER_SIZE = 24
/** Bytes of a node besides its path and data. */
const NODE_OVERHEAD = 64
/** Bytes encoded between two looks at the event loop, about a millisecond's worth. */
const CHUNK_SIZE = 256 * 1024

export interface SnapshotPosition {
  /** The last transaction that the snapshot holds. */
  readonly zxid: number
  readonly link: number
}

/**
 * Writes a snapshot of `nodes`, in pieces between which other work goes on, and puts it durably in
 * the place of the one before. Rejects with DiskError, and the old one is still there.
 */
export async function writeSnapshot(
  disk: Disk,
  clock: Clock,
  path: string,
  position: SnapshotPosition,
  nodes: readonly TreeNode[],
): Promise<void> {
  const temporary = `${path}.tmp`
  const header = Buffer.alloc(HEADER_SIZE)
  MAGIC.copy(header)
  header.writeBigInt64BE(BigInt(position.zxid), 8)
  header.writeUInt32BE(position.link, 16)
  header.writeUInt32BE(nodes.length, 20)
  const file = disk.open(temporary, { create: true })
  try {
    file.truncate(0)
    let written = 0
    let crc = 0
    let chunk: Buffer[] = [header]
    let chunkSize = header.length
    const writeChunk = () => {
      for (const part of chunk) crc = crc32c(part, 0, part.length, crc)
      file.writeSync(chunk, written)
      written += chunkSize
      chunk = []
      chunkSize = 0
    }
    for (const node of nodes) {
      const encoded = encodeNode(node)
      chunk.push(encoded)
      chunkSize += encoded.length
      if (chunkSize < CHUNK_SIZE) continue
      writeChunk()
      await sleep(clock, 0)
    }
    writeChunk()
    const trailer = Buffer.alloc(4)
    trailer.writeUInt32BE(crc)
    file.writeSync([trailer], written)
    await file.sync()
  } finally {
    file.close()
  }
  disk.rename(temporary, path)
  await disk.syncDirectory(path.slice(0, Math.max(path.lastIndexOf('/'), 1)))
}

function encodeNode(node: TreeNode): Buffer {
  const pathLength = Buffer.byteLength(node.path)
  const bytes = Buffer.allocUnsafe(NODE_OVERHEAD + pathLength + node.data.length)
  bytes.writeUInt32BE(pathLength, 0)
  bytes.writeUInt32BE(node.data.length, 4)
  bytes.writeUInt32BE(node.version, 8)
  bytes.writeUInt32BE(node.childCreations, 12)
  bytes.writeBigInt64BE(BigInt(node.czxid), 16)
  bytes.writeBigInt64BE(BigInt(node.mzxid), 24)
  bytes.writeBigInt64BE(BigInt(node.pzxid), 32)
  bytes.writeBigInt64BE(BigInt(node.ctimeMs), 40)
  bytes.writeBigInt64BE(BigInt(node.mtimeMs), 48)
  bytes.writeBigInt64BE(BigInt(node.ephemeralOwner), 56)
  bytes.write(node.path, NODE_OVERHEAD)
  bytes.set(node.data, NODE_OVERHEAD + pathLength)
  return bytes
}

/** Reads a snapshot file's bytes. Undefined where they are not a whole snapshot. */
export function readSnapshot(
  bytes: Buffer,
): { position: SnapshotPosition; tree: NodeTree } | undefined {
  const end = bytes.length - 4
  if (end < HEADER_SIZE || !MAGIC.equals(bytes.subarray(0, 8))) return undefined
  if (crc32c(bytes, 0, end) !== bytes.readUInt32BE(end)) return undefined
  const tree = new NodeTree()
  let at = HEADER_SIZE
  for (let remaining = bytes.readUInt32BE(20); remaining > 0; remaining--) {
    const pathEnd = at + NODE_OVERHEAD + bytes.readUInt32BE(at)
    const dataEnd = pathEnd + bytes.readUInt32BE(at + 4)
    const path = bytes.toString('utf8', at + NODE_OVERHEAD, pathEnd)
    tree.replace(path, {
      path,
      // A copy: a view would keep the whole file's bytes in memory for as long as the node lives.
      data: Buffer.from(bytes.subarray(pathEnd, dataEnd)),
      version: bytes.readUInt32BE(at + 8),
      childCreations: bytes.readUInt32BE(at + 12),
      czxid: Number(bytes.readBigInt64BE(at + 16)),
      mzxid: Number(bytes.readBigInt64BE(at + 24)),
      pzxid: Number(bytes.readBigInt64BE(at + 32)),
      ctimeMs: Number(bytes.readBigInt64BE(at + 40)),
      mtimeMs: Number(bytes.readBigInt64BE(at + 48)),
      ephemeralOwner: Number(bytes.readBigInt64BE(at + 56)),
    })
    at = dataEnd
  }
  const position = { zxid: Number(bytes.readBigInt64BE(8)), link: bytes.readUInt32BE(16) }
  return { position, tree }
}
