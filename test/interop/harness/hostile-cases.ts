/**
 * Bytes that no well-meaning client sends, and what Apache Kafka 4.2 does with them: close the
 * connection, answer, or wait for more. Recorded by running the table against it.
 */
import assert from 'node:assert/strict'
import { type BodyReader, BodyWriter, requestFrame } from './wire.ts'

export type Outcome = 'closes' | 'answers' | 'waits'

export interface Case {
  name: string
  bytes: Buffer
  /** The client ends its side of the connection after the bytes. */
  ends?: boolean
  outcome: Outcome
  /** The API that this is about: a broker that does not list it closes the connection instead. */
  optionalApi?: number
  /** Looks at the answer after the correlation id. */
  check?: (body: BodyReader) => void
}

/** Repeatable noise (xorshift32). */
function noise(length: number, seed: number): Buffer {
  let state = seed
  return Buffer.from(
    Array.from({ length }, () => {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      return state & 0xff
    }),
  )
}

const frame = (payload: Buffer): Buffer =>
  Buffer.concat([new BodyWriter().int32(payload.length).bytes(), payload])

const length = (announced: number, ...rest: Buffer[]): Buffer =>
  Buffer.concat([new BodyWriter().int32(announced).bytes(), ...rest])

const empty = Buffer.alloc(0)

const framing: Case[] = [
  { name: 'a length of 2 GB', bytes: length(2 ** 31 - 1, noise(1_000, 1)), outcome: 'closes' },
  { name: 'a negative length', bytes: length(-1, noise(100, 2)), outcome: 'closes' },
  { name: 'the most negative length', bytes: length(-(2 ** 31)), outcome: 'closes' },
  {
    name: 'a byte more than socket.request.max.bytes',
    bytes: length(104_857_601),
    outcome: 'closes',
  },
  { name: 'a length of 0', bytes: length(0), outcome: 'closes' },
  { name: 'a frame shorter than a header', bytes: frame(Buffer.alloc(7)), outcome: 'closes' },
  { name: 'part of a frame', bytes: length(100, noise(50, 3)), outcome: 'waits' },
  {
    name: 'part of a frame, then the end',
    bytes: length(100, noise(50, 3)),
    ends: true,
    outcome: 'closes',
  },
  {
    name: 'two bytes of a length, then the end',
    bytes: Buffer.alloc(2),
    ends: true,
    outcome: 'closes',
  },
  { name: 'HTTP', bytes: Buffer.from('GET / HTTP/1.1\r\nHost: samsa\r\n\r\n'), outcome: 'closes' },
  {
    name: 'a TLS greeting',
    bytes: Buffer.concat([Buffer.from('16030100f7010000f30303', 'hex'), noise(240, 4)]),
    outcome: 'closes',
  },
]

const unknown: Case[] = [
  { name: 'API key 9999', bytes: requestFrame(9_999, 0, empty), outcome: 'closes' },
  { name: 'API key -1', bytes: requestFrame(-1, 0, empty), outcome: 'closes' },
  { name: 'a removed API, LeaderAndIsr', bytes: requestFrame(4, 0, empty), outcome: 'closes' },
  {
    name: "the controller's API, Vote",
    bytes: requestFrame(52, 0, noise(50, 5)),
    outcome: 'closes',
  },
  { name: 'Metadata v99', bytes: requestFrame(3, 99, noise(50, 6)), outcome: 'closes' },
  { name: 'Metadata v-1', bytes: requestFrame(3, -1, empty), outcome: 'closes' },
  { name: 'Fetch v3', bytes: requestFrame(1, 3, noise(60, 7)), outcome: 'closes' },
  { name: 'Produce v2', bytes: requestFrame(0, 2, noise(60, 8)), outcome: 'closes' },
]

/** The v0 body of ApiVersions with error 35, which tells the client what to ask instead. */
function checkFallback(body: BodyReader): void {
  assert.equal(body.int16(), 35)
  const ranges = body.array(() => [body.int16(), body.int16(), body.int16()])
  assert.deepEqual(ranges, [[18, 0, 4]])
  assert.equal(body.remaining, 0)
}

/** A flexible request header: an empty section of tagged fields follows the client id. */
const flexible = (apiKey: number, version: number, body: Buffer): Buffer =>
  requestFrame(apiKey, version, Buffer.concat([Buffer.alloc(1), body]))

const fallback: Case[] = [
  {
    name: 'ApiVersions v99',
    bytes: flexible(18, 99, empty),
    outcome: 'answers',
    check: checkFallback,
  },
  {
    name: 'ApiVersions v5 with a body of noise',
    bytes: flexible(18, 5, noise(40, 9)),
    outcome: 'answers',
    check: checkFallback,
  },
  {
    name: 'ApiVersions v-1',
    bytes: requestFrame(18, -1, empty),
    outcome: 'answers',
    check: checkFallback,
  },
]

/** CRC-32C bit by bit, so as not to trust the broker's own. */
function crc32c(bytes: Buffer): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return ~crc >>> 0
}

/** A batch of one record with an empty value, as any producer would send it. */
function oneRecord(): Buffer {
  const record = Buffer.from([12, 0, 0, 0, 1, 0, 0])
  const now = Date.now()
  const covered = new BodyWriter().int16(0).int32(0).int64(now).int64(now).int64(-1).int16(-1)
  const content = Buffer.concat([covered.int32(-1).int32(1).bytes(), record])
  const head = new BodyWriter()
    .int64(0)
    .int32(content.length + 9)
    .int32(-1)
    .int8(2)
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32c(content))
  return Buffer.concat([head.bytes(), crc, content])
}

function produce(acks: number, topic: string): Buffer {
  const batch = oneRecord()
  const request = new BodyWriter().string(null).int16(acks).int32(1_000)
  const partition = request.int32(1).string(topic).int32(1).int32(0).int32(batch.length)
  return Buffer.concat([partition.bytes(), batch])
}

/** The error code of the only partition in a response to Produce v7. */
function checkProduceError(body: BodyReader, error: number): void {
  const answers = body.array(() => [
    body.string(),
    body.array(() => [body.int32(), body.int16(), body.int64(), body.int64(), body.int64()]),
  ])
  const partitions = answers[0]?.[1] as number[][] | undefined
  assert.equal(partitions?.[0]?.[1], error)
}

const bodies: Case[] = [
  {
    name: 'a body that ends early',
    bytes: requestFrame(3, 4, new BodyWriter().int32(3).int16(5).bytes()),
    outcome: 'closes',
  },
  {
    name: 'an array of 2 billion topics',
    bytes: requestFrame(3, 4, new BodyWriter().int32(2 ** 31 - 1).bytes()),
    outcome: 'closes',
  },
  {
    name: 'a topic name of negative length',
    bytes: requestFrame(3, 4, new BodyWriter().int32(1).int16(-7).int8(0).bytes()),
    outcome: 'closes',
  },
  {
    name: 'bytes after the body',
    bytes: requestFrame(
      3,
      4,
      Buffer.concat([new BodyWriter().int32(0).int8(0).bytes(), noise(9, 1)]),
    ),
    outcome: 'answers',
  },
  {
    name: 'a client id of negative length below -1, which is no client id',
    bytes: frame(new BodyWriter().int16(18).int16(0).int32(1).int16(-2).bytes()),
    outcome: 'answers',
  },
  {
    name: 'SaslHandshake on a plaintext listener',
    optionalApi: 17,
    bytes: requestFrame(17, 1, new BodyWriter().string('PLAIN').bytes()),
    outcome: 'answers',
    check: (body) => assert.equal(body.int16(), 34),
  },
  {
    name: 'Produce with acks 5',
    bytes: requestFrame(0, 7, produce(5, 'served')),
    outcome: 'answers',
    check: (body) => checkProduceError(body, 21),
  },
  {
    name: 'Produce with acks 0 to a topic that is not there',
    bytes: requestFrame(0, 7, produce(0, 'nowhere')),
    outcome: 'closes',
  },
  {
    name: 'noise in the body of Produce',
    bytes: requestFrame(0, 9, noise(500, 10)),
    outcome: 'closes',
  },
  {
    name: 'noise in the body of Fetch',
    bytes: requestFrame(1, 12, noise(500, 11)),
    outcome: 'closes',
  },
]

const frames: Case[] = Array.from({ length: 20 }, (_, index) => ({
  name: `a frame of noise, ${index}`,
  bytes: frame(noise(20 + index * 53, 100 + index)),
  outcome: 'closes',
}))

/** The whole table. */
export function cases(): Case[] {
  return [...framing, ...unknown, ...fallback, ...bodies, ...frames]
}
