import assert from 'node:assert/strict'
import { test } from 'node:test'
import { xxh3 } from '../../src/common/xxh3.ts'

/** By length, of bytes i * 131 + 7; as hash4j 0.22 has them, which Kafka uses. */
const VECTORS: readonly (readonly [length: number, hash: bigint])[] = [
  [0, 0x2d06800538d394c2n],
  [1, 0x4c5cca45d0f4811fn],
  [2, 0x29c60963cbfa4e6en],
  [3, 0x6e3e2670e61106acn],
  [4, 0x5c4c63133443d03fn],
  [5, 0x49f5eb3111280b63n],
  [8, 0xf9fd4dd0b04d78f5n],
  [9, 0x7c20df9712c26edfn],
  [16, 0x86abf6baccea0858n],
  [17, 0xb58bf5dc5022d071n],
  [32, 0xe3712ed84c04a66en],
  [33, 0xa4dee99b093e1f73n],
  [64, 0x1291d2d4042330ddn],
  [65, 0x97c6bf83217e5ec9n],
  [96, 0x81296929fc063365n],
  [97, 0xf145a45b658ab9ddn],
  [128, 0x10d17f72c0ccba41n],
  [129, 0x1648bdc3db49d1a2n],
  [160, 0x655c8dc33b4b4c4an],
  [240, 0xb6cfaf343fab81e6n],
  [241, 0x956cae592c67279en],
  [255, 0x64a6073025eb7929n],
  [256, 0xb15e550733c5dfacn],
  [320, 0x28bc5aa275799ff9n],
  [1024, 0x70bd377d9574f4bbn],
  [1025, 0x66c4487c41e127a7n],
  [1088, 0xf43dc77e28a9acbcn],
  [2048, 0x8b46caa67dab3a30n],
  [2049, 0x581cd184fd9b76c5n],
  [5000, 0xe4007929540f095cn],
]

test('XXH3 gives what other implementations give, for every way of computing it', () => {
  for (const [length, hash] of VECTORS) {
    const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 131 + 7) & 0xff))
    assert.equal(xxh3(bytes), hash, `${length} bytes`)
  }
})
