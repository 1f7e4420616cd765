/**
 * Follows transactions through a log that is being cleaned, batch by batch from its beginning, and
 * says what of them may go.
 *
 *  - Records of an aborted transaction may go at once.
 *  - A marker may go when nothing is left of its transaction in the log; what is dropped in the
 *    same pass still counts, since a crash may bring it back. From then on it waits as a tombstone
 *    does, so that a reader who has seen records of the transaction also sees its end.
 *  - The transaction index keeps an aborted transaction as long as there may be records of it.
 */
import { type RecordBatchHeader, TRANSACTIONAL_MASK } from '../protocol/records/record-batch.ts'
import type { AbortedTransaction } from './transaction-index.ts'
import type { EndTransactionMarker } from './transaction-marker.ts'

interface OngoingAbort {
  readonly transaction: AbortedTransaction
  /** The pass has met a batch of it. */
  isMet: boolean
}

export class CleanedTransactions {
  /** By first offset. */
  readonly #aborted: readonly AbortedTransaction[]
  readonly #onKept: (transaction: AbortedTransaction) => void
  #next = 0
  /** By producer, those in which the pass is now. */
  readonly #aborts = new Map<number, OngoingAbort>()
  /** Producers of which the pass has met batches that are not aborted, since their last marker. */
  readonly #commits = new Set<number>()

  /**
   * `aborted` are all that have records in the part of the log to be gone through. `onKept` is told
   * of those that must be in the transaction index of the segment that gets their marker.
   */
  constructor(
    aborted: readonly AbortedTransaction[],
    onKept: (transaction: AbortedTransaction) => void = () => {},
  ) {
    this.#aborted = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
    this.#onKept = onKept
  }

  /** Passes a batch of data. Returns whether it was aborted. */
  passData(header: RecordBatchHeader): boolean {
    this.#advance(header)
    if ((header.attributes & TRANSACTIONAL_MASK) === 0) return false
    const abort = this.#aborts.get(header.producerId)
    if (abort !== undefined) abort.isMet = true
    else this.#commits.add(header.producerId)
    return abort !== undefined
  }

  /** Passes a control batch; `marker` is what it holds. Returns whether it may go. */
  passControl(header: RecordBatchHeader, marker: EndTransactionMarker | undefined): boolean {
    this.#advance(header)
    if (marker === undefined) return header.recordCount === 0
    if (marker.commit) return !this.#commits.delete(header.producerId)
    const abort = this.#aborts.get(header.producerId)
    this.#aborts.delete(header.producerId)
    if (abort === undefined || !abort.isMet) return true
    this.#onKept(abort.transaction)
    return false
  }

  #advance(header: RecordBatchHeader): void {
    const lastOffset = header.baseOffset + header.lastOffsetDelta
    for (; this.#next < this.#aborted.length; this.#next++) {
      const transaction = this.#aborted[this.#next]!
      if (transaction.firstOffset > lastOffset) return
      if (this.#aborts.has(transaction.producerId)) continue
      this.#aborts.set(transaction.producerId, { transaction, isMet: false })
    }
  }
}
