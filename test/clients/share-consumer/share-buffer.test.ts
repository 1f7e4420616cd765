import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { acknowledgementBatches } from '../../../src/clients/share-consumer/acknowledgements.ts'
import { ShareBuffer } from '../../../src/clients/share-consumer/share-buffer.ts'
import { sleep } from '../../../src/common/clock.ts'
import type { ShareFetchResponse } from '../../../src/protocol/messages/share-fetch.ts'
import { batchOf } from '../../support/requests.ts'
import { ClientWorld } from '../support/client-world.ts'

const PARTITION = { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', topic: 't', partition: 0, nodeId: 1 }
const [GAP, REJECT] = [0, 3]

/** A buffer with one answer, of which these offsets are locked for 30 s. */
function bufferOf(
  records: Buffer,
  acquired: readonly (readonly [first: number, last: number, deliveryCount: number])[],
) {
  const world = new ClientWorld()
  const buffer = new ShareBuffer({
    ...{ environment: world.environment, checkCrcs: true },
    ...{ keyDeserializer: undefined, valueDeserializer: (bytes: Buffer) => bytes.toString() },
  })
  const partition = {
    ...{ partitionIndex: 0, errorCode: 0, acknowledgeErrorCode: 0, records },
    acquiredRecords: acquired.map(([firstOffset, lastOffset, deliveryCount]) => {
      return { firstOffset, lastOffset, deliveryCount }
    }),
  }
  const responses = [{ topicId: PARTITION.topicId, partitions: [partition] }]
  const response = { acquisitionLockTimeoutMs: 30_000, responses }
  const session = { isHeld: true }
  buffer.add({
    asked: [PARTITION],
    response: response as unknown as ShareFetchResponse,
    isHeld: () => session.isHeld,
  })
  return { buffer, world, session }
}

test('only what is locked is given out, and locked offsets without a record are gaps', () => {
  const records = Buffer.concat([
    batchOf(['a', 'b', 'c'], { baseOffset: 10, compression: 'gzip' }),
    batchOf(['marker'], { baseOffset: 13, control: true }),
    // Compaction has left a hole before this one.
    batchOf(['d', 'e'], { baseOffset: 16 }),
  ])
  const { buffer } = bufferOf(records, [
    [15, 16, 4],
    [11, 14, 1],
  ])
  const [taken] = buffer.take(1)
  const given = taken!.records.map(({ offset, value, deliveryCount }) => {
    return [offset, value, deliveryCount]
  })
  const expected = [
    [11, 'b', 1],
    [12, 'c', 1],
    [16, 'd', 4],
  ]
  assert.deepEqual(given, expected)
  const gaps = [13, 14, 15].map((offset) => [offset, GAP])
  assert.deepEqual([...taken!.codes], gaps)
  assert.deepEqual(buffer.take(1), [])
})

test('what cannot be read is rejected, and the rest given out', () => {
  const damaged = batchOf(['b', 'c'], { baseOffset: 1 })
  damaged[damaged.length - 2]! ^= 1
  const whole = [batchOf(['a']), damaged, batchOf(['d'], { baseOffset: 3 })]
  const { buffer } = bufferOf(Buffer.concat(whole), [[0, 3, 1]])
  const [taken] = buffer.take(1)
  assert.deepEqual(
    taken!.records.map(({ value }) => value),
    ['a', 'd'],
  )
  const rejected = [1, 2].map((offset) => [offset, REJECT])
  assert.deepEqual([...taken!.codes], rejected)

  const garbage = bufferOf(Buffer.concat([batchOf(['a']), Buffer.alloc(80)]), [[0, 5, 1]])
  const [first] = garbage.buffer.take(1)
  assert.equal(first!.records.length, 1)
  assert.deepEqual([...first!.codes.values()], [3, 3, 3, 3, 3])
})

test('records whose session has ended are not given out', () => {
  const { buffer, session } = bufferOf(batchOf(['a']), [[0, 0, 1]])
  session.isHeld = false
  assert.deepEqual(buffer.take(1), [])
})

test('records whose lock has expired are not given out', async () => {
  const { buffer, world } = bufferOf(batchOf(['a']), [[0, 0, 1]])
  await world.run(() => sleep(world.environment.clock, 30_001))
  assert.deepEqual(buffer.take(1), [])
})

test('acknowledgements go in as few rows as say it all', () => {
  const codes = fc.dictionary(fc.nat(60).map(String), fc.integer({ min: 0, max: 4 }))
  fc.assert(
    fc.property(codes, (given) => {
      const acknowledgements = new Map(
        Object.entries(given).map(([offset, code]) => [Number(offset), code]),
      )
      const batches = acknowledgementBatches(acknowledgements)
      const said = new Map<number, number>()
      let previousLast = -2
      for (const { firstOffset, lastOffset, acknowledgeTypes } of batches) {
        assert.ok(firstOffset > previousLast + 1, 'rows that touch are one')
        previousLast = lastOffset
        const isForAll = acknowledgeTypes.length === 1
        assert.ok(isForAll || acknowledgeTypes.length === lastOffset - firstOffset + 1)
        assert.ok(isForAll || new Set(acknowledgeTypes).size > 1)
        for (let offset = firstOffset; offset <= lastOffset; offset++) {
          said.set(offset, acknowledgeTypes[isForAll ? 0 : offset - firstOffset]!)
        }
      }
      assert.deepEqual(said, new Map([...acknowledgements].sort(([a], [b]) => a - b)))
    }),
  )
})
