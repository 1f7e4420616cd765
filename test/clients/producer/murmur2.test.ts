import assert from 'node:assert/strict'
import { test } from 'node:test'
import { murmur2, partitionForKey } from '../../../src/clients/producer/murmur2.ts'

test('the hash is that of the Java client', () => {
  // From Apache Kafka's own tests of the function.
  const known: [string, number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ]
  for (const [key, hash] of known) assert.equal(murmur2(Buffer.from(key)), hash, key)
  assert.equal(murmur2(Buffer.from('abc')), 479470107)
  assert.equal(partitionForKey(Buffer.from('foobar'), 10), (-790332482 & 0x7fffffff) % 10)
})
