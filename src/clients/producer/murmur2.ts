/**
 * murmur2 as Kafka's Java client computes it: which partition a key belongs to depends on it, so
 * clients must agree to the bit.
 */

const SEED = 0x9747b28c | 0
const FACTOR = 0x5bd1e995

/** The hash of `bytes`, a signed 32-bit number. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length
  let hash = SEED ^ length
  const tail = length & ~3
  for (let at = 0; at < tail; at += 4) {
    const word =
      bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    const mixed = Math.imul(word, FACTOR)
    hash = Math.imul(hash, FACTOR) ^ Math.imul(mixed ^ (mixed >>> 24), FACTOR)
  }
  const rest = length - tail
  if (rest === 3) hash ^= bytes[tail + 2]! << 16
  if (rest >= 2) hash ^= bytes[tail + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ bytes[tail]!, FACTOR)
  hash = Math.imul(hash ^ (hash >>> 13), FACTOR)
  return hash ^ (hash >>> 15)
}

/** The partition of a key, of `count` partitions. */
export function partitionForKey(key: Uint8Array, count: number): number {
  return (murmur2(key) & 0x7fff_ffff) % count
}
