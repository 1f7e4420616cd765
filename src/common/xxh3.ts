/**
 * XXH3 with 64 bits, without a seed: the hash by which Kafka tells whether the topics of a group
 * have changed (KIP-1101). What is hashed is small and seldom, so this is written for the reader.
 *
 * Specified at https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 */

const MASK = (1n << 64n) - 1n

const PRIME32_1 = 0x9e3779b1n
const PRIME32_2 = 0x85ebca77n
const PRIME32_3 = 0xc2b2ae3dn
const PRIME64_1 = 0x9e3779b185ebca87n
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn
const PRIME64_3 = 0x165667b19e3779f9n
const PRIME64_4 = 0x85ebca77c2b2ae63n
const PRIME64_5 = 0x27d4eb2f165667c5n
const PRIME_MX1 = 0x165667919e3779f9n
const PRIME_MX2 = 0x9fb21c651e98df25n

/** The default secret of the specification. */
const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f' +
    'cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c' +
    '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8' +
    'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364' +
    'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e' +
    '2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
)

const STRIPE = 64
const STRIPES_PER_BLOCK = (SECRET.length - STRIPE) / 8

/** The hash of `bytes`, as an unsigned number. */
export function xxh3(bytes: Buffer): bigint {
  const { length } = bytes
  if (length === 0) return avalanche64(secret(56) ^ secret(64))
  if (length <= 3) return hash1To3(bytes)
  if (length <= 8) return hash4To8(bytes)
  if (length <= 16) return hash9To16(bytes)
  if (length <= 128) return hash17To128(bytes)
  if (length <= 240) return hash129To240(bytes)
  return hashLong(bytes)
}

function hash1To3(bytes: Buffer): bigint {
  const { length } = bytes
  const first = BigInt(bytes[0]!)
  const middle = BigInt(bytes[length >> 1]!)
  const last = BigInt(bytes[length - 1]!)
  const combined = (first << 16n) | (middle << 24n) | last | (BigInt(length) << 8n)
  const flip = BigInt(SECRET.readUInt32LE(0) ^ SECRET.readUInt32LE(4)) & 0xffffffffn
  return avalanche64(combined ^ flip)
}

function hash4To8(bytes: Buffer): bigint {
  const { length } = bytes
  const high = BigInt(bytes.readUInt32LE(0)) << 32n
  const low = BigInt(bytes.readUInt32LE(length - 4))
  let hash = (high + low) ^ secret(8) ^ secret(16)
  hash ^= rotate(hash, 49n) ^ rotate(hash, 24n)
  hash = (hash * PRIME_MX2) & MASK
  hash ^= (hash >> 35n) + BigInt(length)
  hash = (hash * PRIME_MX2) & MASK
  return hash ^ (hash >> 28n)
}

function hash9To16(bytes: Buffer): bigint {
  const { length } = bytes
  const low = bytes.readBigUInt64LE(0) ^ secret(24) ^ secret(32)
  const high = bytes.readBigUInt64LE(length - 8) ^ secret(40) ^ secret(48)
  return avalanche(BigInt(length) + swapBytes(low) + high + fold(low, high))
}

function hash17To128(bytes: Buffer): bigint {
  const { length } = bytes
  let hash = BigInt(length) * PRIME64_1
  // From the middle to both ends, with as many pairs as there are.
  for (let pair = Math.ceil(length / 32) - 1; pair >= 0; pair--) {
    hash += mix(bytes, 16 * pair, 32 * pair)
    hash += mix(bytes, length - 16 * (pair + 1), 32 * pair + 16)
  }
  return avalanche(hash)
}

function hash129To240(bytes: Buffer): bigint {
  const { length } = bytes
  let hash = BigInt(length) * PRIME64_1
  for (let i = 0; i < 8; i++) hash += mix(bytes, 16 * i, 16 * i)
  hash = avalanche(hash)
  for (let i = 8; i < length >> 4; i++) hash += mix(bytes, 16 * i, 16 * (i - 8) + 3)
  return avalanche(hash + mix(bytes, length - 16, 136 - 17))
}

function hashLong(bytes: Buffer): bigint {
  const { length } = bytes
  const lanes = [PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3]
  lanes.push(PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1)
  const stripes = Math.floor((length - 1) / STRIPE)
  for (let stripe = 0; stripe < stripes; stripe++) {
    accumulate(lanes, bytes, stripe * STRIPE, (stripe % STRIPES_PER_BLOCK) * 8)
    if ((stripe + 1) * STRIPE <= length - 1 && (stripe + 1) % STRIPES_PER_BLOCK === 0) {
      scramble(lanes)
    }
  }
  accumulate(lanes, bytes, length - STRIPE, SECRET.length - STRIPE - 7)
  let hash = BigInt(length) * PRIME64_1
  for (let i = 0; i < 4; i++) {
    const [low, high] = [lanes[2 * i]!, lanes[2 * i + 1]!]
    hash += fold(low ^ secret(11 + 16 * i), high ^ secret(19 + 16 * i))
  }
  return avalanche(hash)
}

function accumulate(lanes: bigint[], bytes: Buffer, at: number, secretAt: number): void {
  for (let i = 0; i < 8; i++) {
    const data = bytes.readBigUInt64LE(at + 8 * i)
    const key = data ^ secret(secretAt + 8 * i)
    lanes[i ^ 1] = (lanes[i ^ 1]! + data) & MASK
    lanes[i] = (lanes[i]! + (key & 0xffffffffn) * (key >> 32n)) & MASK
  }
}

function scramble(lanes: bigint[]): void {
  for (let i = 0; i < 8; i++) {
    const lane = lanes[i]!
    const key = secret(SECRET.length - STRIPE + 8 * i)
    lanes[i] = ((lane ^ (lane >> 47n) ^ key) * PRIME32_1) & MASK
  }
}

function mix(bytes: Buffer, at: number, secretAt: number): bigint {
  const low = bytes.readBigUInt64LE(at) ^ secret(secretAt)
  return fold(low, bytes.readBigUInt64LE(at + 8) ^ secret(secretAt + 8))
}

/** Both halves of the product, combined. */
function fold(a: bigint, b: bigint): bigint {
  const product = a * b
  return (product & MASK) ^ (product >> 64n)
}

function avalanche(value: bigint): bigint {
  let hash = value & MASK
  hash ^= hash >> 37n
  hash = (hash * PRIME_MX1) & MASK
  return hash ^ (hash >> 32n)
}

function avalanche64(value: bigint): bigint {
  let hash = value & MASK
  hash ^= hash >> 33n
  hash = (hash * PRIME64_2) & MASK
  hash ^= hash >> 29n
  hash = (hash * PRIME64_3) & MASK
  return hash ^ (hash >> 32n)
}

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK
}

function swapBytes(value: bigint): bigint {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes.readBigUInt64BE(0)
}

function secret(at: number): bigint {
  return SECRET.readBigUInt64LE(at)
}
