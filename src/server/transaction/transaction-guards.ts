/**
 * The first records of a transaction on a partition are taken only after the coordinator has said
 * that the partition belongs to it (KIP-890); otherwise records that come late, after their
 * transaction has ended, would begin one that nobody ends.
 *
 * While the coordinator is asked, the partition has a guard for the producer. A marker that is
 * written meanwhile takes the guard away, and with it what the coordinator said: that was about
 * the transaction which the marker has ended.
 *
 * ```
 *   begin ──► the coordinator is asked ──► "yes" ──► check ──► append
 *                    └── a marker: end ──────────────► refused: INVALID_TXN_STATE
 * ```
 */
import { KafkaError } from '../../common/errors.ts'
import {
  ATTRIBUTES_AT,
  RECORD_BATCH_HEADER_SIZE,
  readRecordBatchHeader,
  TRANSACTIONAL_MASK,
} from '../../protocol/records/record-batch.ts'

/** What makes the records of a producer acceptable; see above. */
export interface TransactionGuard {
  readonly producerId: number
  producerEpoch: number
  /** The lowest sequence that was held back: until that is in the log, no higher may be. */
  lowestSequence: number
  /** Transactions v2: with every transaction the sequences begin at 0. */
  readonly startsAtZero: boolean
  readonly sinceMs: number
}

/** A batch, as far as it matters here. */
export interface TransactionalBatch {
  readonly producerId: number
  readonly producerEpoch: number
  /** -1 where a coordinator writes on a producer's behalf. */
  readonly baseSequence: number
}

/** By far longer than clients go on trying to send a batch. */
const MAX_AGE_MS = 3_600_000

export class TransactionGuards {
  readonly #guards = new Map<number, TransactionGuard>()

  /** The guard with which the batch may be appended once the coordinator agrees. */
  begin(batch: TransactionalBatch, startsAtZero: boolean, nowMs: number): TransactionGuard {
    const { producerId, producerEpoch, baseSequence } = batch
    this.#forgetOlderThan(nowMs - MAX_AGE_MS)
    const guard = this.#guards.get(producerId)
    if (guard === undefined) {
      const lowestSequence = baseSequence
      const made = { producerId, producerEpoch, lowestSequence, startsAtZero, sinceMs: nowMs }
      this.#guards.set(producerId, made)
      return made
    }
    const isNewEpoch = producerEpoch > guard.producerEpoch
    const isLower = producerEpoch === guard.producerEpoch && baseSequence < guard.lowestSequence
    if (isNewEpoch || isLower) guard.lowestSequence = baseSequence
    if (isNewEpoch) guard.producerEpoch = producerEpoch
    return guard
  }

  /** Throws KafkaError unless the batch may be the first of a transaction. */
  check(batch: TransactionalBatch, guard: TransactionGuard | undefined): void {
    const { producerId, producerEpoch, baseSequence } = batch
    if (guard === undefined || this.#guards.get(producerId) !== guard) {
      throw new KafkaError('INVALID_TXN_STATE', 'Record was not part of an ongoing transaction')
    }
    if (producerEpoch !== guard.producerEpoch) return
    const lowest = guard.startsAtZero ? Math.min(0, guard.lowestSequence) : guard.lowestSequence
    if (baseSequence <= lowest) return
    throw new KafkaError(
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
      `Out of order sequence number for producer ${producerId}: ${baseSequence} (incoming seq. ` +
        `number), ${lowest} (earliest seen sequence)`,
    )
  }

  /** The producer's transaction has begun, or has ended. */
  end(producerId: number): void {
    this.#guards.delete(producerId)
  }

  /** The partition has another leader, or this one in another epoch. */
  clear(): void {
    this.#guards.clear()
  }

  /** Those whose records have never come, the oldest of which are first. */
  #forgetOlderThan(time: number): void {
    for (const { producerId, sinceMs } of this.#guards.values()) {
      if (sinceMs >= time) return
      this.#guards.delete(producerId)
    }
  }
}

/** A batch that is part of a transaction, or ends one; undefined for others. */
export function transactionalBatchIn(records: Buffer): TransactionalBatch | undefined {
  if (records.length < RECORD_BATCH_HEADER_SIZE) return undefined
  if ((records[ATTRIBUTES_AT + 1]! & TRANSACTIONAL_MASK) === 0) return undefined
  const { producerId, producerEpoch, baseSequence } = readRecordBatchHeader(records, 0)
  return producerId < 0 ? undefined : { producerId, producerEpoch, baseSequence }
}
