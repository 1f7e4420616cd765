/** The cache of log tails: what it gives is right, and what it keeps is bounded. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SlabPool } from '../../src/common/slab.ts'
import { writeInt64 } from '../../src/protocol/records/record-batch.ts'
import type { LogTail } from '../../src/storage/tail-cache.ts'
import { TailCache } from '../../src/storage/tail-cache.ts'
import { makeBatch, parseBatches } from './log-harness.ts'

const KIB = 1024

/** Adds one batch as a log would: from a slab that is given back at once. */
function add(slabs: SlabPool, tail: LogTail, offset: number, count: number, valueBytes: number) {
  const batch = makeBatch({ count, valueBytes })
  writeInt64(batch, 0, offset)
  const slab = slabs.acquire(batch.length)
  slab.memory.set(batch)
  tail.add(slab.memory.subarray(0, batch.length), slab, offset, offset + count - 1)
  slab.release()
  return batch
}

test('logs with batches of all sizes stay within the budget, and read as they were added', () => {
  const step = fc.record({
    log: fc.nat(3),
    count: fc.integer({ min: 1, max: 4 }),
    valueBytes: fc.oneof(fc.nat(200), fc.integer({ min: 1000, max: 20_000 })),
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    maxBytes: fc.nat(40_000),
    clears: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
      const slabs = new SlabPool({ poison: true })
      const cache = new TailCache({ maxBytes: 800 * KIB, slabs })
      const logs = [0, 1, 2, 3].map(() => ({
        tail: cache.createTail(),
        end: 0,
        batches: [] as Buffer[],
      }))
      for (const { log, count, valueBytes, from, maxBytes, clears } of steps) {
        const { tail, batches } = logs[log]!
        const start = logs[log]!.end
        batches.push(add(slabs, tail, start, count, valueBytes))
        logs[log]!.end += count
        assert.ok(cache.pinnedBytes <= 800 * KIB)
        if (clears && valueBytes % 7 === 0) tail.clear()
        const offset = Math.min(Math.floor(from * logs[log]!.end), logs[log]!.end - 1)
        const maxOffset = logs[log]!.end
        const read = tail.read(offset, maxBytes, { maxOffset, minOneBatch: true })
        if (read === undefined) continue
        const found = parseBatches(Buffer.concat(read.chunks))
        const wanted = batches.filter((_batch, index) => endOf(batches, index) > offset)
        assert.deepEqual(
          found.map(({ bytes }) => bytes),
          wanted.slice(0, found.length),
        )
        assert.ok(found.length >= 1)
        assert.ok(found.length === 1 || read.sizeInBytes <= maxBytes)
        const exact = tail.sizeBetween(offset, maxOffset)
        assert.equal(
          exact,
          wanted.reduce((sum, batch) => sum + batch.length, 0),
        )
        read.release()
      }
      cache.clear()
      assert.equal(cache.pinnedBytes, 0)
    }),
    { numRuns: 100 },
  )
})

/** The offset after the `index`-th batch, by the record counts in the batches. */
function endOf(batches: readonly Buffer[], index: number): number {
  let end = 0
  for (let i = 0; i <= index; i++) end += batches[i]!.readInt32BE(57)
  return end
}

test('a read keeps its memory though the cache has given it up', () => {
  const slabs = new SlabPool({ poison: true })
  const cache = new TailCache({ maxBytes: 300 * KIB, slabs })
  const tail = cache.createTail()
  const first = add(slabs, tail, 0, 1, 10_000)
  const read = tail.read(0, 1e6, { maxOffset: 1, minOneBatch: true })!
  for (let offset = 1; offset < 50; offset++) add(slabs, tail, offset, 1, 10_000)
  assert.equal(tail.read(0, 1e6, { maxOffset: 50, minOneBatch: true }), undefined)
  assert.deepEqual(Buffer.concat(read.chunks), first)
  read.release()
  assert.throws(() => read.release(), /released twice/)
  cache.clear()
})

test('small batches of one log that follow each other are one chunk', () => {
  const slabs = new SlabPool({ poison: true })
  const cache = new TailCache({ maxBytes: 1024 * KIB, slabs })
  const tail = cache.createTail()
  for (let offset = 0; offset < 500; offset++) add(slabs, tail, offset, 1, 50)
  const read = tail.read(3, 1e6, { maxOffset: 490, minOneBatch: true })!
  assert.equal(read.chunks.length, 1)
  assert.equal(parseBatches(read.chunks[0]!).length, 487)
  assert.equal(read.firstOffset, 3)
  assert.equal(read.nextOffset, 490)
  read.release()
})

test('a budget of 0 caches nothing', () => {
  const slabs = new SlabPool({ poison: true })
  const cache = new TailCache({ maxBytes: 0, slabs })
  const tail = cache.createTail()
  add(slabs, tail, 0, 1, 10_000)
  add(slabs, tail, 1, 1, 10)
  assert.equal(tail.read(0, 1e6, { maxOffset: 2, minOneBatch: true }), undefined)
  assert.equal(cache.pinnedBytes, 0)
})
