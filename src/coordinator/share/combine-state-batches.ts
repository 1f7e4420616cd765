/** How updates of share state are laid over each other (KIP-932). */
import { appendStateBatch, type StateBatch } from './record-state.ts'

/**
 * Lays `newer` over `older`, both in the order of their offsets, and leaves out what is below
 * `startOffset`. The result is in order, without overlap, and as short as can be.
 *
 * ```
 * older   │ 10-19 AVAILABLE, 1 time                   │
 * newer               │ 13-15 ACKNOWLEDGED │
 * result  │ 10-12 AV. │ 13-15 ACKNOWLEDGED │ 16-19 AV. │
 * ```
 */
export function combineStateBatches(
  older: readonly StateBatch[],
  newer: readonly StateBatch[],
  startOffset: number,
): StateBatch[] {
  const combined: StateBatch[] = []
  const add = (batch: StateBatch, firstOffset: number, lastOffset: number) => {
    const first = Math.max(firstOffset, startOffset)
    if (first <= lastOffset)
      appendStateBatch(combined, { ...batch, firstOffset: first, lastOffset })
  }
  let at = 0
  let covered = Number.NEGATIVE_INFINITY
  /**
   * Adds what is left of `older` below `end`, and passes over what lies between there and `resume`.
   */
  const addOlder = (end: number, resume: number) => {
    for (; at < older.length && older[at]!.firstOffset < resume; at++) {
      const batch = older[at]!
      const first = Math.max(batch.firstOffset, covered)
      add(batch, first, Math.min(batch.lastOffset, end - 1))
      if (batch.lastOffset >= resume) break
    }
    covered = resume
  }
  for (const batch of newer) {
    addOlder(batch.firstOffset, batch.lastOffset + 1)
    add(batch, batch.firstOffset, batch.lastOffset)
  }
  addOlder(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
  return combined
}
