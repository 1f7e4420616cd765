import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { COMPRESSION_TYPES } from '../../../src/common/compression/compression.ts'
import { KafkaError } from '../../../src/common/errors.ts'
import { BatchIterator } from '../../../src/protocol/records/batch-iterator.ts'
import {
  readControlRecordType,
  readEndTransactionMarker,
} from '../../../src/protocol/records/control-record.ts'
import {
  ATTRIBUTES_AT,
  assignOffsetAndEpoch,
  COMPRESSION_MASK,
  CONTROL_MASK,
  CRC_AT,
  computeBatchCrc,
  hasValidCrc,
  MAGIC_AT,
  RECORD_BATCH_HEADER_SIZE,
  RECORD_COUNT_AT,
  readRecordBatchHeader,
  setLogAppendTime,
  TIMESTAMP_TYPE_MASK,
  TRANSACTIONAL_MASK,
} from '../../../src/protocol/records/record-batch.ts'
import {
  buildEndTransactionBatch,
  buildRecordBatch,
  type NewRecord,
  RecordBatchWriter,
} from '../../../src/protocol/records/record-batch-writer.ts'
import { RecordReader, readRecords } from '../../../src/protocol/records/record-reader.ts'
import { goldenLines } from '../golden.ts'

interface GoldenRecord {
  offset: number
  timestamp: number
  key: string | null
  value: string | null
  headers: { key: string; value: string | null }[]
}

interface GoldenBatch {
  name: string
  bytes: Buffer
  json: { [name: string]: unknown; records: GoldenRecord[] }
}

function goldenBatches(): GoldenBatch[] {
  return goldenLines('RecordBatches').map(([name, base64, json]) => ({
    name: name!,
    bytes: Buffer.from(base64!, 'base64'),
    json: JSON.parse(json!),
  }))
}

const unbase64 = (text: string | null) => (text === null ? null : Buffer.from(text, 'base64'))

function expectedRecords(batch: GoldenBatch) {
  return batch.json.records.map(({ key, value, headers, ...rest }) => ({
    ...rest,
    key: unbase64(key),
    value: unbase64(value),
    headers: headers.map((header) => ({ key: header.key, value: unbase64(header.value) })),
  }))
}

test('batches that Kafka made, with every codec: header and records are as Kafka says', () => {
  const batches = goldenBatches()
  assert.equal(batches.length, COMPRESSION_TYPES.length * 3 + 2)
  for (const batch of batches) {
    const { bytes, json, name } = batch
    const header = readRecordBatchHeader(bytes, 0)
    const { attributes, lastOffsetDelta, baseOffset, baseTimestamp, recordCount, magic, ...rest } =
      header
    const described = {
      ...rest,
      baseOffset,
      lastOffset: baseOffset + lastOffsetDelta,
      transactional: (attributes & TRANSACTIONAL_MASK) !== 0,
      control: (attributes & CONTROL_MASK) !== 0,
      compression: COMPRESSION_TYPES[attributes & COMPRESSION_MASK],
      logAppendTime: (attributes & TIMESTAMP_TYPE_MASK) !== 0,
      records: json.records,
    }
    assert.deepEqual(described, json, name)
    assert.equal(magic, 2)
    assert.equal(recordCount, json.records.length)
    assert.ok(baseTimestamp > 0)
    assert.ok(hasValidCrc(bytes, 0, bytes.length), name)
    assert.deepEqual(readRecords(bytes), expectedRecords(batch), name)
  }
})

test('the writer makes of the same records the same bytes as Kafka', () => {
  let compared = 0
  for (const batch of goldenBatches()) {
    const { json, bytes } = batch
    const compression = json.compression as (typeof COMPRESSION_TYPES)[number]
    const header = readRecordBatchHeader(bytes, 0)
    // Under LogAppendTime the deltas on the wire are the producer's, which records do not show.
    if (json.logAppendTime === true) continue
    const written = buildRecordBatch(expectedRecords(batch), {
      ...header,
      compression,
      transactional: json.transactional as boolean,
      control: json.control as boolean,
    })
    assert.deepEqual(readRecords(written), expectedRecords(batch), batch.name)
    assert.ok(hasValidCrc(written, 0, written.length))
    if (compression !== 'none') continue
    assert.deepEqual(written, bytes, batch.name)
    compared += 1
  }
  assert.equal(compared, 4)
})

test('the markers that end transactions', () => {
  const markers = goldenBatches().filter(({ json }) => json.control === true)
  assert.equal(markers.length, 2)
  for (const { bytes, name, json } of markers) {
    const [record] = readRecords(bytes)
    const marker = { commit: name === 'marker COMMIT', coordinatorEpoch: 9 }
    assert.deepEqual(readEndTransactionMarker(record!.key, record!.value), marker)
    const built = buildEndTransactionBatch(
      marker,
      { producerId: 4242, producerEpoch: 5 },
      record!.timestamp,
    )
    assignOffsetAndEpoch(built, 0, json.baseOffset as number, json.partitionLeaderEpoch as number)
    assert.deepEqual(built, bytes)
  }
  const leaderChange = Buffer.from('00000002', 'hex')
  assert.equal(readEndTransactionMarker(leaderChange, null), undefined)
  const invalid = { errorName: 'INVALID_RECORD' }
  for (const key of [null, Buffer.alloc(3), Buffer.from('ffff0001', 'hex')]) {
    assert.throws(() => readControlRecordType(key), invalid)
  }
  const commit = Buffer.from('00000001', 'hex')
  for (const value of [null, Buffer.alloc(5), Buffer.from('ffff00000000', 'hex')]) {
    assert.throws(() => readEndTransactionMarker(commit, value), invalid)
  }
})

test('LogAppendTime gives every record the time of the batch, under a new checksum', () => {
  for (const { bytes, json, name } of goldenBatches()) {
    const padded = Buffer.concat([Buffer.alloc(5, 0xff), bytes, Buffer.alloc(5, 0xff)])
    setLogAppendTime(padded, 5, 1_800_000_000_000)
    const changed = padded.subarray(5, 5 + bytes.length)
    assert.ok(hasValidCrc(changed, 0, changed.length), name)
    const records = readRecords(changed)
    assert.deepEqual([...new Set(records.map((r) => r.timestamp))], [1_800_000_000_000])
    assert.deepEqual(
      records.map((r) => r.offset),
      json.records.map((r) => r.offset),
    )
    assert.ok(padded.subarray(0, 5).every((byte) => byte === 0xff))
    assert.ok(padded.subarray(-5).every((byte) => byte === 0xff))
  }
})

const bytes = fc.option(
  fc.uint8Array({ maxLength: 200 }).map((a) => Buffer.from(a)),
  { freq: 4 },
)
const timestamp = fc.oneof(
  fc.integer({ min: 0, max: 1_000_000 }),
  fc.integer({ min: -1, max: 2 ** 47 }),
)
const plain = { noNullPrototype: true }
const header = fc.record({ key: fc.string({ unit: 'binary' }), value: bytes }, plain)
const headers = fc.array(header, { maxLength: 3 })
const newRecord = fc.record({ timestamp, key: bytes, value: bytes, headers }, plain)

test('any records survive writing and reading, with every codec and at any place', () => {
  const property = fc.property(
    fc.array(newRecord, { minLength: 1, maxLength: 20 }),
    fc.constantFrom(...COMPRESSION_TYPES),
    fc.nat(5),
    fc.array(fc.nat(2 ** 20), { minLength: 20, maxLength: 20 }),
    (records, compression, before, gaps) => {
      let offset = 2 ** 40
      const numbered = records.map((record, i) => {
        offset += 1 + (i === 0 ? 0 : gaps[i]!)
        return { ...record, offset }
      })
      const batch = buildRecordBatch(numbered, { compression, baseOffset: numbered[0]!.offset })
      const buffer = Buffer.concat([Buffer.alloc(before, 0x5a), batch])
      assert.deepEqual(readRecords(buffer, before), numbered)
      const header = readRecordBatchHeader(buffer, before)
      assert.equal(header.maxTimestamp, Math.max(-1, ...records.map((r) => r.timestamp)))
      assert.equal(header.baseOffset + header.lastOffsetDelta, offset)
    },
  )
  fc.assert(property, { numRuns: 150 })
})

test('the reader passes over records by itself and shows them only when asked', () => {
  const batch = buildRecordBatch([
    { timestamp: 1, key: Buffer.from('k'), value: null, headers: [{ key: 'h', value: null }] },
    { timestamp: 2, key: null, value: Buffer.alloc(0) },
  ])
  const record = new RecordReader(batch)
  assert.ok(record.next())
  assert.deepEqual([record.hasKey, record.hasValue, record.offset], [true, false, 0])
  assert.deepEqual(record.headers(), [{ key: 'h', value: null }])
  assert.deepEqual(record.headers(), record.headers(), 'asking twice does not move the reader')
  const first = record.sizeInBytes
  assert.ok(record.next())
  assert.deepEqual([record.hasKey, record.hasValue, record.offset], [false, true, 1])
  assert.deepEqual(record.value(), Buffer.alloc(0))
  assert.equal(record.key()?.length, undefined)
  assert.equal(first + record.sizeInBytes, batch.length - RECORD_BATCH_HEADER_SIZE)
  assert.equal(record.next(), false)
  assert.equal(record.next(), false)
})

function readAll(batch: Buffer): KafkaError | undefined {
  try {
    readRecords(batch)
    return undefined
  } catch (error) {
    assert.ok(error instanceof KafkaError, `not a KafkaError: ${error}`)
    const expected = ['INVALID_RECORD', 'CORRUPT_MESSAGE', 'MESSAGE_TOO_LARGE']
    assert.ok(expected.includes(error.errorName), error.errorName)
    return error
  }
}

test('damaged records are refused, whatever was changed in them', () => {
  const batches = goldenBatches().filter(({ name }) => !name.endsWith('large'))
  const change = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) })
  for (const { bytes } of batches) {
    const property = fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const damaged = Buffer.from(bytes)
      const length = bytes.length - ATTRIBUTES_AT
      for (const { at, value } of changes) damaged[ATTRIBUTES_AT + (at % length)] = value
      readAll(damaged)
    })
    fc.assert(property, { numRuns: 150 })
  }
})

test('a batch whose count is wrong, or whose records end too early, is refused', () => {
  const records: NewRecord[] = [1, 2, 3].map((i) => ({
    timestamp: i,
    value: Buffer.from('v'.repeat(i)),
    headers: [{ key: 'h', value: Buffer.from('x') }],
  }))
  const whole = buildRecordBatch(records)
  for (const count of [-1, 0, 2, 4, 0x7fffffff]) {
    const batch = Buffer.from(whole)
    batch.writeInt32BE(count, RECORD_COUNT_AT)
    assert.equal(readAll(batch)?.errorName, 'INVALID_RECORD', `count ${count}`)
  }
  for (let size = RECORD_BATCH_HEADER_SIZE; size < whole.length; size++) {
    // The bytes that are missing from the batch are still there behind it.
    const batch = Buffer.from(whole)
    batch.writeInt32BE(size - 12, 8)
    assert.equal(readAll(batch)?.errorName, 'INVALID_RECORD', `size ${size}`)
  }
  const bomb = buildRecordBatch([{ timestamp: 1, value: Buffer.alloc(100_000) }], {
    compression: 'zstd',
  })
  assert.throws(() => new RecordReader(bomb, 0, 50_000), { errorName: 'MESSAGE_TOO_LARGE' })
  const unknown = Buffer.from(whole)
  unknown[ATTRIBUTES_AT + 1] = 5
  assert.equal(readAll(unknown)?.errorName, 'CORRUPT_MESSAGE')
})

test('a record whose lengths do not agree with each other is refused', () => {
  // Two records of value 'abc' and one header 'h': 'i', each with its length in front.
  const build = (record: string) => {
    const whole = buildRecordBatch([
      { timestamp: 0, value: Buffer.from('abc'), headers: [{ key: 'h', value: Buffer.from('i') }] },
      { timestamp: 0, value: Buffer.from('abc'), headers: [{ key: 'h', value: Buffer.from('i') }] },
    ])
    const half = (whole.length - RECORD_BATCH_HEADER_SIZE) / 2
    assert.equal(record.length / 2, half)
    whole.write(record, RECORD_BATCH_HEADER_SIZE, 'hex')
    return readAll(whole)?.errorName
  }
  const right = '1a000000' + '01' + '06616263' + '02' + '0268' + '0269'
  assert.equal(build(`18${right.slice(2)}`), 'INVALID_RECORD', 'the record is longer than it says')
  assert.equal(build(`1c${right.slice(2)}`), 'INVALID_RECORD', 'the record is shorter than it says')
  for (const [wrong, what] of [
    ['1a000000' + '14' + '06616263' + '02' + '0268' + '0269', 'a key beyond the record'],
    ['1a000000' + '01' + '1a616263' + '02' + '0268' + '0269', 'a value beyond the record'],
    ['1a000000' + '01' + '06616263' + '01' + '0268' + '0269', 'a negative number of headers'],
    ['1a000000' + '01' + '06616263' + '14' + '0268' + '0269', 'more headers than bytes'],
    ['1a000000' + '01' + '06616263' + '00' + '0268' + '0269', 'bytes after the headers'],
    ['1a000000' + '01' + '06616263' + '02' + '0168' + '0269', 'a header key of length -1'],
    ['1a000000' + '01' + '06616263' + '02' + '01' + '046869', 'a header without a key'],
    ['1a000000' + '01' + '06616263' + '02' + '1068' + '0269', 'a header key beyond the record'],
    ['1a000000' + '01' + '06616263' + '02' + '0268' + '0469', 'a header value beyond the record'],
    ['1affffff' + 'ff' + 'ffffffff' + 'ff' + 'ffff' + 'ffff', 'varints without an end'],
  ] as const) {
    assert.equal(build(wrong), 'INVALID_RECORD', what)
  }
})

test('walking over batches stops before one that is cut off, wherever it is cut', () => {
  const batches = [1, 2, 3].map((i) =>
    buildRecordBatch([{ timestamp: i, value: Buffer.alloc(i) }], { baseOffset: i }),
  )
  const all = Buffer.concat([Buffer.alloc(3), ...batches])
  for (let end = 3; end <= all.length; end++) {
    const iterator = new BatchIterator(all, 3, end)
    let position = 3
    for (const batch of batches) {
      if (position + batch.length > end) break
      assert.ok(iterator.next())
      assert.equal(iterator.position, position)
      assert.equal(iterator.sizeInBytes, batch.length)
      position += batch.length
    }
    assert.equal(iterator.remaining, end - position)
    assert.equal(iterator.next(), false)
    assert.equal(iterator.remaining, end - position)
  }
})

test('walking over what is no batch', () => {
  const batch = buildRecordBatch([{ timestamp: 1, value: Buffer.alloc(1) }])
  const withLength = (length: number) => {
    const copy = Buffer.from(batch)
    copy.writeInt32BE(length, 8)
    return () => new BatchIterator(copy).next()
  }
  assert.throws(withLength(-1), { errorName: 'CORRUPT_MESSAGE' })
  assert.throws(withLength(48), { errorName: 'CORRUPT_MESSAGE' })
  assert.throws(withLength(-0x8000_0000), { errorName: 'CORRUPT_MESSAGE' })
  assert.equal(withLength(0x7fffffff)(), false)
  for (const [magic, errorName] of [
    [0, 'UNSUPPORTED_FOR_MESSAGE_FORMAT'],
    [1, 'UNSUPPORTED_FOR_MESSAGE_FORMAT'],
    [3, 'CORRUPT_MESSAGE'],
  ] as const) {
    const copy = Buffer.from(batch)
    copy[MAGIC_AT] = magic
    assert.throws(() => new BatchIterator(copy).next(), { errorName })
  }
})

test('the checksum covers everything from the attributes on', () => {
  const batch = buildRecordBatch([{ timestamp: 1, value: Buffer.from('value') }])
  const crc = readRecordBatchHeader(batch, 0).crc
  assert.equal(crc, computeBatchCrc(batch, 0, batch.length))
  for (let at = 0; at < batch.length; at++) {
    const changed = Buffer.from(batch)
    changed[at]! ^= 1
    const covered = at >= CRC_AT
    assert.equal(hasValidCrc(changed, 0, batch.length), !covered, `byte ${at}`)
  }
})

test('the writer refuses what cannot be a batch', () => {
  assert.throws(() => new RecordBatchWriter().finish(), /without records/)
  const writer = new RecordBatchWriter({ baseOffset: 10 })
  writer.append({ timestamp: 0, offset: 12 })
  assert.throws(() => writer.append({ timestamp: 0, offset: 12 }), /does not follow/)
  assert.throws(() => writer.append({ timestamp: 0, offset: 9 }), /does not follow/)
  assert.throws(() => writer.append({ timestamp: Number.NaN }), /not a timestamp/)
  assert.equal(writer.recordCount, 1)
  assert.equal(writer.sizeInBytes, writer.finish().length)
})
