/** Keys go where Java's partitioner would put them. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { murmur2, partitionForKey } from '../../../src/clients/producer/murmur2.ts'
import { java } from '../harness/clients.ts'
import type { Stage } from './stage.ts'

const KEYS = 10_000
const COUNTS = [1, 3, 7, 12, 100, 1023]

export async function provePartitioner({ workspace }: Stage): Promise<void> {
  // All lengths up to 300, none left out; one key in a hundred is longer.
  const keys = Array.from({ length: KEYS }, (_, i) => {
    return randomBytes(i % 100 === 99 ? 300 + i : i % 301)
  })
  const path = workspace.path('keys.txt')
  // The first key is empty: an empty line.
  writeFileSync(path, keys.map((key) => `${key.toString('hex')}\n`).join(''))
  const lines = (await java('KeyPartitions', [path, ...COUNTS.map(String)])).trimEnd().split('\n')
  const own = keys.map((key) => {
    return [murmur2(key), ...COUNTS.map((count) => partitionForKey(key, count))].join(' ')
  })
  assert.deepEqual(own, lines)
}
