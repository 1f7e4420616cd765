/**
 * For each key of a part of a log, the offset of its last record: what the log cleaner decides by.
 *
 * Open addressing in one array of 24 bytes a slot, as in Kafka, so that `log.cleaner.dedupe.buffer
 * .size` holds as many keys here as there:
 *
 * ```
 * word 0-3   fingerprint of the key (see key-hash.ts)
 * word 4-5   offset - base + 1, low word first; 0 in a slot that is free
 * ```
 * The array is as large as the part of the log can need, at most as the memory allows. Where that
 * is not enough, the cleaner cleans up to the offset at which the map was full.
 */
import { KeyHash } from './key-hash.ts'

const WORDS_PER_SLOT = 6
export const OFFSET_MAP_SLOT_BYTES = 4 * WORDS_PER_SLOT
const TWO_32 = 0x1_0000_0000

export interface OffsetMapOptions {
  /** 16 random bytes. */
  readonly secret: Uint8Array
  /** All offsets put are at or above this one. */
  readonly baseOffset: number
  /** More keys than this are not to be expected. */
  readonly expectedKeys: number
  /** Memory that it may take, in bytes. */
  readonly maxBytes: number
  /** Which part of its slots may be in use: more makes the searches long. */
  readonly loadFactor: number
}

export class OffsetMap {
  /** How many keys it can hold. */
  readonly capacity: number
  readonly #hash: KeyHash
  readonly #baseOffset: number
  readonly #slots: number
  readonly #words: Uint32Array
  #size = 0

  constructor(options: OffsetMapOptions) {
    const { secret, baseOffset, expectedKeys, maxBytes, loadFactor } = options
    const wanted = Math.ceil(expectedKeys / loadFactor) + 1
    this.#slots = Math.min(wanted, Math.max(2, Math.floor(maxBytes / OFFSET_MAP_SLOT_BYTES)))
    // One slot stays free, at which the search for a key that is not there ends.
    this.capacity = Math.min(Math.floor(this.#slots * loadFactor), this.#slots - 1)
    this.#hash = new KeyHash(secret)
    this.#baseOffset = baseOffset
    this.#words = new Uint32Array(this.#slots * WORDS_PER_SLOT)
  }

  /** How many keys it holds. */
  get size(): number {
    return this.#size
  }

  /** Notes the offset of a key's record, which is later in the log than all before. */
  put(bytes: Uint8Array, start: number, length: number, offset: number): void {
    const words = this.#words
    const at = this.#find(bytes, start, length)
    const relative = offset - this.#baseOffset + 1
    if (isFree(words, at)) {
      if (this.#size === this.capacity) throw new Error('the offset map is full')
      this.#size += 1
      words[at] = this.#hash.word0
      words[at + 1] = this.#hash.word1
      words[at + 2] = this.#hash.word2
      words[at + 3] = this.#hash.word3
    }
    words[at + 4] = relative % TWO_32
    words[at + 5] = relative / TWO_32
  }

  /** The offset of the key's last record, -1 where the key was not put. */
  get(bytes: Uint8Array, start: number, length: number): number {
    const words = this.#words
    const at = this.#find(bytes, start, length)
    if (isFree(words, at)) return -1
    return words[at + 5]! * TWO_32 + words[at + 4]! + this.#baseOffset - 1
  }

  /** Where the slot of a key begins, or the free one in which it belongs. */
  #find(bytes: Uint8Array, start: number, length: number): number {
    this.#hash.update(bytes, start, length)
    const words = this.#words
    const word0 = this.#hash.word0 >>> 0
    const word1 = this.#hash.word1 >>> 0
    const word2 = this.#hash.word2 >>> 0
    const word3 = this.#hash.word3 >>> 0
    let slot = Math.floor((word0 / TWO_32) * this.#slots)
    for (;;) {
      const at = slot * WORDS_PER_SLOT
      const isSame =
        words[at] === word0 &&
        words[at + 1] === word1 &&
        words[at + 2] === word2 &&
        words[at + 3] === word3
      if (isFree(words, at) || isSame) return at
      slot = slot + 1 === this.#slots ? 0 : slot + 1
    }
  }
}

function isFree(words: Uint32Array, at: number): boolean {
  return words[at + 4] === 0 && words[at + 5] === 0
}
