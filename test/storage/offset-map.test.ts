/** The map from keys to offsets by which a log is cleaned, and the fingerprints it goes by. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HalfSipHash } from '../../src/storage/key-hash.ts'
import { OFFSET_MAP_SLOT_BYTES, OffsetMap } from '../../src/storage/offset-map.ts'

/** By the reference implementation: the key is 0 to 7, the input of length n is 0 to n-1. */
const REFERENCE: readonly [length: number, hash: string][] = [
  [0, '218d1f59b9b83cc8'],
  [1, 'be552412f8387315'],
  [2, '064f39ef7c50eb57'],
  [3, 'ce0f1a45f7060679'],
  [4, 'd5e78a175be52ea1'],
  [7, 'ff202728b07bc684'],
  [8, 'edfee820bce4858c'],
  [15, '217d0bcb4e81c902'],
  [26, '0d899ed8112923f0'],
]

test('the hash is HalfSipHash-2-4, wherever in a buffer the key stands', () => {
  const hash = new HalfSipHash(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7))
  for (const [length, expected] of REFERENCE) {
    const input = Buffer.from([99, ...Array.from({ length }, (_, index) => index), 99])
    hash.update(input, 1, length)
    const output = Buffer.alloc(8)
    output.writeInt32LE(hash.first, 0)
    output.writeInt32LE(hash.second, 4)
    assert.equal(output.toString('hex'), expected, `of ${length} bytes`)
  }
})

function newMap(options: { slots: number; baseOffset?: number; expectedKeys?: number }): OffsetMap {
  return new OffsetMap({
    secret: Buffer.from('sixteen bytes, ha'),
    baseOffset: options.baseOffset ?? 0,
    expectedKeys: options.expectedKeys ?? 1_000_000,
    maxBytes: options.slots * OFFSET_MAP_SLOT_BYTES,
    loadFactor: 0.9,
  })
}

test('it answers as a Map does, up to its capacity', () => {
  const key = fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.uint8Array({ maxLength: 40 }))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(key, fc.boolean()), { maxLength: 200 }),
      fc.constantFrom(2, 3, 10, 50, 400),
      fc.constantFrom(0, 2 ** 31 - 3, 2 ** 40),
      (keys, slots, baseOffset) => {
        const map = newMap({ slots, baseOffset })
        const model = new Map<string, number>()
        let offset = baseOffset
        for (const [bytes, isPut] of keys) {
          const name = Buffer.from(bytes).toString('hex')
          assert.equal(map.get(bytes, 0, bytes.length), model.get(name) ?? -1)
          const hasRoom = model.size < map.capacity || model.has(name)
          if (!isPut || !hasRoom) continue
          map.put(bytes, 0, bytes.length, offset)
          model.set(name, offset)
          assert.equal(map.size, model.size)
          offset += 1 + (offset % 7) * 2 ** 29
        }
      },
    ),
  )
})

test('it takes no more memory than the keys that can come need', () => {
  assert.equal(newMap({ slots: 100, expectedKeys: 1 }).capacity, 2)
  assert.equal(newMap({ slots: 100, expectedKeys: 50 }).capacity, 51)
  assert.equal(newMap({ slots: 100, expectedKeys: 5000 }).capacity, 90)
})

test('a full map takes no further key', () => {
  const map = newMap({ slots: 3 })
  for (let n = 0; n < map.capacity; n++) map.put(Uint8Array.of(n), 0, 1, n)
  assert.throws(() => map.put(Uint8Array.of(77), 0, 1, 77), /full/)
})
