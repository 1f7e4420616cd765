/**
 * Randomness from a seed: the same seed gives the same numbers, on every machine. The generator is
 * xoshiro128**, by Blackman and Vigna, seeded through SplitMix32. Fast and even, not secret.
 */
import type { Random } from '../src/common/random.ts'

export class SeededRandom implements Random {
  #a: number
  #b: number
  #c: number
  #d: number

  constructor(seed: number) {
    let state = seed >>> 0
    // The seed's upper bits, so that seeds beyond 2^32 differ too.
    state ^= Math.imul(Math.floor(seed / 0x1_0000_0000), 0x85eb_ca6b)
    const splitMix = () => {
      state = (state + 0x9e37_79b9) | 0
      let z = state
      z = Math.imul(z ^ (z >>> 16), 0x21f0_aaad)
      z = Math.imul(z ^ (z >>> 15), 0x735a_2d97)
      return z ^ (z >>> 15)
    }
    this.#a = splitMix()
    this.#b = splitMix()
    this.#c = splitMix()
    this.#d = splitMix()
  }

  /** The next 32 random bits, as an unsigned number. */
  next(): number {
    const scrambled = Math.imul(this.#b, 5)
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9)
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return result >>> 0
  }

  int(bound: number): number {
    if (!(bound >= 1 && bound <= 0xffff_ffff_ffff)) throw new RangeError(`int(${bound})`)
    // 53 bits scaled down: the unevenness is below 2^-5 of a part in 2^48, far too little to see.
    return Math.floor(this.fraction() * bound)
  }

  /** From 0 up to, and without, 1. */
  fraction(): number {
    return ((this.next() >>> 5) * 0x400_0000 + (this.next() >>> 6)) / 2 ** 53
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.int(high - low + 1)
  }

  /** True with the probability given, from 0 (never) to 1 (always). */
  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /** One of `items`, of which there must be some. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.int(items.length)]!
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    for (let at = 0; at < length; at += 4) {
      const word = this.next()
      const end = Math.min(at + 4, length)
      for (let index = at; index < end; index++) bytes[index] = word >>> (8 * (index - at))
    }
    return bytes
  }

  /** A generator of its own, so that how much one part draws does not change what others get. */
  fork(): SeededRandom {
    return new SeededRandom(this.next() * 0x10_0000 + (this.next() >>> 12))
  }
}
