/** Records of every shape: what the producer is given in these tests. */
import type { ProducerRecord } from '../../../src/clients/index.ts'

const START_MS = 1_700_000_000_000

const bytesOf = (length: number, seed: number) =>
  Buffer.from(Array.from({ length }, (_, i) => 97 + ((i * seed) % 13)))

/** Keys and values that are null, empty, short and long; headers of all kinds. */
export function recordsOfEveryShape(topic: string, count: number) {
  return Array.from({ length: count }, (_, i): ProducerRecord<Uint8Array, Uint8Array> => {
    const key = i % 3 === 0 ? null : Buffer.from(`key ${i % 50}`)
    const length = [0, 0, 20_000][i % 17] ?? i % 500
    const headers = [
      { key: 'trace', value: `${i}` },
      { key: 'none', value: null },
      { key: 'trace', value: bytesOf(i % 40, i) },
      { key: 'größe', value: Buffer.alloc(0) },
    ].slice(0, i % 5)
    return {
      ...{ topic, key, headers },
      value: i % 17 === 0 ? null : bytesOf(length, i),
      // Every tenth record lies a minute before the one it follows.
      timestamp: START_MS + i * 10 - (i % 10 === 9 ? 60_000 : 0),
    }
  })
}
