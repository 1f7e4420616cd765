import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allErrors, ErrorCode, errorInfo, errorName, KafkaError } from '../../src/common/errors.ts'

test('the codes are -1 to 133 without a gap, each with a message but NONE', () => {
  const errors = allErrors()
  assert.deepEqual(
    errors.map((error) => error.code),
    Array.from({ length: 135 }, (_, index) => index - 1),
  )
  for (const error of errors) {
    assert.match(error.name, /^[A-Z][A-Z_]+[A-Z]$/)
    assert.equal(error.message === '', error.name === 'NONE', error.name)
    assert.equal(ErrorCode[error.name], error.code)
  }
})

test('codes that clients act on are those of the protocol guide', () => {
  assert.equal(ErrorCode.UNKNOWN_SERVER_ERROR, -1)
  assert.equal(ErrorCode.OFFSET_OUT_OF_RANGE, 1)
  assert.equal(ErrorCode.NOT_LEADER_OR_FOLLOWER, 6)
  assert.equal(ErrorCode.UNSUPPORTED_VERSION, 35)
  assert.equal(ErrorCode.INVALID_CONFIG, 40)
  assert.equal(ErrorCode.KAFKA_STORAGE_ERROR, 56)
  assert.equal(ErrorCode.MEMBER_ID_REQUIRED, 79)
  assert.equal(ErrorCode.INVALID_RECORD, 87)
  assert.equal(ErrorCode.UNKNOWN_TOPIC_ID, 100)
  assert.equal(ErrorCode.SHARE_SESSION_LIMIT_REACHED, 133)
})

test('an unknown code is treated as Kafka clients treat it', () => {
  assert.equal(errorName(32000), 'UNKNOWN_SERVER_ERROR')
  assert.equal(errorInfo(6).retriable, true)
  assert.equal(errorInfo(10).retriable, false)
})

test('a KafkaError carries the table entry, and its own message where it has one', () => {
  const cause = new Error('disk on fire')
  const error = new KafkaError('KAFKA_STORAGE_ERROR', 'log dir /a failed', { cause })
  assert.deepEqual(
    [error.errorName, error.code, error.retriable],
    ['KAFKA_STORAGE_ERROR', 56, true],
  )
  assert.equal(error.message, 'log dir /a failed')
  assert.equal(error.cause, cause)
  assert.equal(new KafkaError('TOPIC_ALREADY_EXISTS').message, errorInfo(36).message)
})
