/**
 * Randomness, as everything above `src/common` sees it: ids, jitter, choices. It comes in through
 * constructors so that a simulated broker makes the same choices each time its seed is replayed.
 */
import { randomBytes, randomInt } from 'node:crypto'

export interface Random {
  /** `length` random bytes in a Buffer of their own. */
  bytes(length: number): Buffer

  /** A whole number from 0 up to, and without, `bound` (at most 2^48 - 1). */
  int(bound: number): number
}

/** Cryptographically strong randomness from the operating system. */
export class SystemRandom implements Random {
  bytes(length: number): Buffer {
    return randomBytes(length)
  }

  int(bound: number): number {
    return randomInt(bound)
  }
}
