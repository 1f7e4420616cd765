/** Which batches are refused, with which error, and what is changed about those that are not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { crc32c } from '../../src/common/crc32c.ts'
import { type ErrorName, KafkaError } from '../../src/common/errors.ts'
import { readRecordBatchHeader } from '../../src/protocol/records/record-batch.ts'
import { decompressRecords } from '../../src/storage/batch-compression.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/storage/log-config.ts'
import { LogValidator, RecordValidationError } from '../../src/storage/log-validator.ts'
import { makeBatch } from './log-harness.ts'

const NOW = 1_700_000_000_000
const validator = new LogValidator()

function validate(batch: Buffer, config: Partial<LogConfig> = {}, origin = 'client' as const) {
  return validator.validate(batch, { ...DEFAULT_LOG_CONFIG, ...config }, origin, NOW)
}

/** A batch with bytes overwritten, its CRC right all the same. */
function altered(batch: Buffer, alter: (batch: Buffer) => void): Buffer {
  alter(batch)
  batch.writeUInt32BE(crc32c(batch, 21, batch.length), 17)
  return batch
}

const refusals: [string, ErrorName, Buffer, Partial<LogConfig>?][] = [
  ['nothing', 'INVALID_RECORD', Buffer.alloc(0)],
  ['half a batch', 'INVALID_RECORD', makeBatch().subarray(0, 50)],
  ['two batches', 'INVALID_RECORD', Buffer.concat([makeBatch(), makeBatch()])],
  ['a byte too many', 'INVALID_RECORD', Buffer.concat([makeBatch(), Buffer.alloc(1)])],
  ['old magic', 'INVALID_RECORD', altered(makeBatch(), (b) => b.writeInt8(1, 16))],
  ['new magic', 'CORRUPT_MESSAGE', altered(makeBatch(), (b) => b.writeInt8(3, 16))],
  ['absurd length', 'CORRUPT_MESSAGE', altered(makeBatch(), (b) => b.writeInt32BE(-5, 8))],
  ['base offset', 'INVALID_RECORD', makeBatch({ baseOffset: 3 })],
  [
    'control batch',
    'INVALID_RECORD',
    makeBatch({ control: true, producerId: 1, producerEpoch: 0 }),
  ],
  ['no sequence', 'INVALID_RECORD', makeBatch({ producerId: 1, producerEpoch: 0 })],
  ['no records', 'INVALID_RECORD', altered(makeBatch(), (b) => b.writeInt32BE(0, 57))],
  ['count', 'INVALID_RECORD', altered(makeBatch({ count: 2 }), (b) => b.writeInt32BE(5, 57))],
  ['last delta', 'INVALID_RECORD', altered(makeBatch({ count: 2 }), (b) => b.writeInt32BE(0, 23))],
  ['too large', 'MESSAGE_TOO_LARGE', makeBatch({ valueBytes: 500 }), { maxMessageBytes: 500 }],
  [
    'above a segment',
    'RECORD_LIST_TOO_LARGE',
    makeBatch({ valueBytes: 500 }),
    { segmentBytes: 500 },
  ],
  ['no key', 'INVALID_RECORD', makeBatch(), { cleanupPolicy: ['compact'] }],
  ['future', 'INVALID_TIMESTAMP', makeBatch({ timestamps: [NOW, NOW + 3_600_001] })],
  [
    'past',
    'INVALID_TIMESTAMP',
    makeBatch({ timestamps: [NOW - 11] }),
    { messageTimestampBeforeMaxMs: 10 },
  ],
  [
    'compressed, future',
    'INVALID_TIMESTAMP',
    makeBatch({ timestamps: [NOW * 2], compression: 'lz4' }),
  ],
  [
    'compressed, no key',
    'INVALID_RECORD',
    makeBatch({ compression: 'zstd' }),
    { cleanupPolicy: ['compact', 'delete'] },
  ],
  [
    'log append time from a client',
    'INVALID_TIMESTAMP',
    makeBatch({ logAppendTime: NOW }),
    { timestampType: 'LogAppendTime' },
  ],
]

for (const [what, errorName, batch, config] of refusals) {
  test(`refused: ${what}`, () => {
    assert.throws(() => validate(Buffer.from(batch), config), { errorName })
  })
}

test('any damaged byte under the CRC is noticed', () => {
  const batch = makeBatch({ count: 3 })
  for (let at = 17; at < batch.length; at++) {
    const damaged = Buffer.from(batch)
    damaged[at]! ^= 0x10
    assert.throws(() => validate(damaged), KafkaError, `byte ${at}`)
  }
})

test('records that do not fill their batch exactly are refused, whatever their CRC says', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(255), (position, value) => {
      const batch = makeBatch({ count: 4, key: Buffer.from('k'), timestamps: [1, 2, 3, 4] })
      const at = 61 + (position % (batch.length - 61))
      const changed = altered(Buffer.from(batch), (b) => b.writeUInt8(value, at))
      let accepted: Buffer | undefined
      try {
        accepted = validate(changed).bytes
      } catch (error) {
        assert.ok(error instanceof KafkaError, String(error))
      }
      // What is accepted can be read, and has the records it says it has.
      if (accepted !== undefined) assert.equal(readRecordBatchHeader(accepted, 0).recordCount, 4)
    }),
  )
})

test('all records at fault are named', () => {
  const batch = makeBatch({ timestamps: [NOW * 2, 1, NOW * 3] })
  assert.throws(
    () => validate(batch),
    (error) => {
      assert.ok(error instanceof RecordValidationError)
      assert.deepEqual(
        error.recordErrors.map(({ batchIndex }) => batchIndex),
        [0, 2],
      )
      return true
    },
  )
})

test('LogAppendTime is written into the header, and the CRC fits', () => {
  const batch = makeBatch({ timestamps: [1, 2] })
  const valid = validate(batch, { timestampType: 'LogAppendTime' })
  assert.equal(valid.bytes, batch)
  assert.equal(valid.logAppendTimeMs, NOW)
  assert.equal(valid.header.maxTimestamp, NOW)
  assert.equal(valid.header.attributes & 8, 8)
  assert.equal(crc32c(batch, 21, batch.length), valid.header.crc)
})

test('a wrong largest timestamp in an uncompressed header is put right', () => {
  const batch = altered(makeBatch({ timestamps: [5, 9, 7] }), (b) => b.writeBigInt64BE(77n, 35))
  const { header } = validate(batch)
  assert.equal(header.maxTimestamp, 9)
  assert.equal(crc32c(batch, 21, batch.length), header.crc)
})

test('a compressed batch passes as it is, unless the topic wants another compression', () => {
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const batch = makeBatch({ count: 20, compression })
    const before = Buffer.from(batch)
    assert.deepEqual(validate(batch).bytes, before)
    for (const target of ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const { bytes, header } = validate(Buffer.from(batch), { compressionType: target })
      assert.equal(header.sizeInBytes, bytes.length)
      assert.equal(crc32c(bytes, 21, bytes.length), header.crc)
      assert.equal(
        header.attributes & 7,
        ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'].indexOf(target),
      )
      const records = decompressRecords(before, readRecordBatchHeader(before, 0), 1e6)
      assert.deepEqual(decompressRecords(bytes, header, 1e6), records)
    }
  }
})
