/**
 * One number for all that a group's assignment depends on of its topics: another number means that
 * the group must be rebalanced (KIP-1101). It is recorded, and computed as Kafka does, so that a
 * group may move between the two without noticing.
 */
import { xxh3 } from '../../common/xxh3.ts'
import type { TopicImage } from './topic-image.ts'

/** The first byte of what is hashed of a topic: a version of this format. */
const TOPIC_HASH_FORMAT = 0

/** The hash of those of `names` that exist, as Java's signed long; 0 if none does. */
export function metadataHash(names: Iterable<string>, topics: TopicImage): bigint {
  const existing = [...names].filter((name) => topics.topicId(name) !== undefined).sort()
  if (existing.length === 0) return 0n
  const hashes = existing.map((name) => int64(topicHash(name, topics)))
  return BigInt.asIntN(64, xxh3(Buffer.concat(hashes)))
}

function topicHash(name: string, topics: TopicImage): bigint {
  const count = topics.partitionCount(name) ?? 0
  const parts = [Buffer.of(TOPIC_HASH_FORMAT), topicId(topics.topicId(name)!)]
  parts.push(string(name), int32(count))
  for (let partition = 0; partition < count; partition++) {
    parts.push(int32(partition))
    const racks = [...(topics.racks?.(name, partition) ?? [])].sort()
    for (const rack of racks) parts.push(int32(rack.length), string(rack))
  }
  return xxh3(Buffer.concat(parts))
}

/** Two longs, each with its lowest byte first. */
function topicId(text: string): Buffer {
  const id = Buffer.from(text, 'base64url')
  return id.swap64()
}

/** UTF-16, followed by its length in characters. */
function string(text: string): Buffer {
  return Buffer.concat([Buffer.from(text, 'utf16le'), int32(text.length)])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}
