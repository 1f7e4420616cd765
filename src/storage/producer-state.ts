/**
 * What a partition remembers of its idempotent and transactional producers: enough to recognise a
 * batch that is sent again, to refuse one that came too early, and to know which transactions are
 * open.
 *
 * Rules (KIP-98, KIP-360; Kafka's ProducerAppendInfo):
 *  - a batch with the sequences of one of the producer's last five is a duplicate: the answer is
 *    the first one's offsets, and nothing is appended;
 *  - any other must follow the last sequence; after 2^31-1 comes 0; otherwise
 *    OUT_OF_ORDER_SEQUENCE_NUMBER;
 *  - a new epoch starts at sequence 0; an old one gets INVALID_PRODUCER_EPOCH;
 *  - a producer of which nothing is known may start anywhere: its earlier batches may have been
 *    removed by retention.
 * What came through replication was checked by the leader and is only noted.
 */
import { KafkaError } from '../common/errors.ts'
import {
  CONTROL_MASK,
  type RecordBatchHeader,
  TRANSACTIONAL_MASK,
} from '../protocol/records/record-batch.ts'
import type { AppendOrigin } from './log-validator.ts'
import type { EndTransactionMarker } from './transaction-marker.ts'

/** How many batches back a duplicate is recognised; clients keep no more in flight. */
const BATCHES_REMEMBERED = 5
const NO_SEQUENCE = -1
const MAX_SEQUENCE = 0x7fff_ffff

/** A batch that a producer has written. */
export interface ProducerBatch {
  readonly lastSequence: number
  readonly lastOffset: number
  readonly offsetDelta: number
  readonly timestamp: number
}

export interface ProducerEntry {
  readonly producerId: number
  producerEpoch: number
  /** Of the transaction coordinator that wrote the last marker; -1 if none did. */
  coordinatorEpoch: number
  lastTimestamp: number
  /** First offset of the open transaction, -1 if there is none. */
  currentTxnFirstOffset: number
  /** The last batches, oldest first. */
  batches: ProducerBatch[]
}

/** A transaction ended by a marker that is being appended. */
export interface CompletedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** Of the marker. */
  readonly lastOffset: number
  readonly isAborted: boolean
}

export interface DuplicateBatch {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly timestamp: number
}

export class ProducerState {
  readonly #entries = new Map<number, ProducerEntry>()
  /**
   * Producers of the open transactions, by first offset: a producer's next one may begin before the
   * marker of the last is written.
   */
  readonly #ongoing = new Map<number, number>()
  /** Transactions whose marker may still be above the high watermark. */
  #unreplicated: CompletedTransaction[] = []
  /** The state reflects all batches below this offset. */
  endOffset = 0

  get size(): number {
    return this.#entries.size
  }

  entries(): IterableIterator<ProducerEntry> {
    return this.#entries.values()
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId)
  }

  /** Forgets everything; the state then is that of an empty log that ends at `endOffset`. */
  reset(endOffset: number): void {
    this.#entries.clear()
    this.#ongoing.clear()
    this.#unreplicated = []
    this.endOffset = endOffset
  }

  /** Takes over an entry from a snapshot. */
  load(entry: ProducerEntry): void {
    this.#entries.set(entry.producerId, entry)
    if (entry.currentTxnFirstOffset >= 0) {
      this.#ongoing.set(entry.currentTxnFirstOffset, entry.producerId)
    }
  }

  /**
   * Completes what is known of a producer by batches of its epoch that were found in the log, in
   * their order there: as far as their sequences lead up to those that are known.
   */
  recall(producerId: number, found: readonly ProducerBatch[]): void {
    const batches = this.#entries.get(producerId)?.batches ?? []
    for (const batch of found.toReversed()) {
      const [first] = batches
      if (first === undefined || batches.length === BATCHES_REMEMBERED) return
      if (batch.lastOffset >= first.lastOffset) continue
      const firstSequence = decrementSequence(first.lastSequence, first.offsetDelta)
      if (decrementSequence(firstSequence, 1) !== batch.lastSequence) return
      batches.unshift(batch)
    }
  }

  /** The earlier append of which the batch is a repetition. */
  findDuplicate(header: RecordBatchHeader): DuplicateBatch | undefined {
    const entry = this.#entries.get(header.producerId)
    if (entry === undefined || entry.producerEpoch !== header.producerEpoch) return undefined
    const last = lastSequence(header)
    for (const batch of entry.batches) {
      if (batch.lastSequence !== last) continue
      if (decrementSequence(last, batch.offsetDelta) !== header.baseSequence) continue
      return {
        firstOffset: batch.lastOffset - batch.offsetDelta,
        lastOffset: batch.lastOffset,
        timestamp: batch.timestamp,
      }
    }
    return undefined
  }

  /** Throws the KafkaError with which a batch that breaks the rules is refused. */
  check(
    header: RecordBatchHeader,
    marker: EndTransactionMarker | undefined,
    origin: AppendOrigin,
  ): void {
    const entry = this.#entries.get(header.producerId)
    if (origin === 'replication' || entry === undefined) return
    if (header.producerEpoch < entry.producerEpoch) {
      throw new KafkaError(
        'INVALID_PRODUCER_EPOCH',
        `Epoch of producer ${header.producerId} is ${header.producerEpoch}, smaller than ` +
          `the last seen epoch ${entry.producerEpoch}`,
      )
    }
    if (marker !== undefined) {
      checkCoordinatorEpoch(entry, marker)
    } else if ((header.attributes & CONTROL_MASK) === 0) {
      if (origin === 'client') checkSequence(entry, header)
      if (entry.currentTxnFirstOffset >= 0 && (header.attributes & TRANSACTIONAL_MASK) === 0) {
        throw new KafkaError(
          'INVALID_TXN_STATE',
          `Expected transactional write from producer ${header.producerId}`,
        )
      }
    }
  }

  /**
   * Notes a batch that is being appended, under the offsets it has got. Returns the transaction
   * that it ends; the caller passes that to `completeTransaction` once the marker is written.
   */
  update(
    header: RecordBatchHeader,
    baseOffset: number,
    marker: EndTransactionMarker | undefined,
  ): CompletedTransaction | undefined {
    const lastOffset = baseOffset + header.lastOffsetDelta
    this.endOffset = lastOffset + 1
    if (header.producerId < 0) return undefined
    if (marker !== undefined) return this.#endTransaction(header, lastOffset, marker)
    if ((header.attributes & CONTROL_MASK) !== 0) return undefined
    const entry = this.#entryFor(header)
    if (entry.batches.length === BATCHES_REMEMBERED) entry.batches.shift()
    entry.batches.push(producerBatch(header, lastOffset))
    entry.lastTimestamp = header.maxTimestamp
    if ((header.attributes & TRANSACTIONAL_MASK) !== 0 && entry.currentTxnFirstOffset < 0) {
      entry.currentTxnFirstOffset = baseOffset
      this.#ongoing.set(baseOffset, entry.producerId)
    }
    return undefined
  }

  /**
   * Closes a transaction: from now on it holds the last stable offset back only until the high
   * watermark has passed its marker. Returns the last stable offset for the transaction index.
   */
  completeTransaction(transaction: CompletedTransaction): number {
    this.#ongoing.delete(transaction.firstOffset)
    this.#unreplicated.push(transaction)
    let stable = transaction.lastOffset + 1
    for (const firstOffset of this.#ongoing.keys()) stable = Math.min(stable, firstOffset)
    return stable
  }

  /** First offset that belongs to a transaction which is open, or closed but not replicated. */
  firstUnstableOffset(): number | undefined {
    let first: number | undefined
    for (const offset of this.#ongoing.keys()) {
      if (first === undefined || offset < first) first = offset
    }
    for (const { firstOffset } of this.#unreplicated) {
      if (first === undefined || firstOffset < first) first = firstOffset
    }
    return first
  }

  /** All transactions whose marker is below `highWatermark` are settled for good. */
  onHighWatermark(highWatermark: number): void {
    if (this.#unreplicated.length === 0) return
    this.#unreplicated = this.#unreplicated.filter(({ lastOffset }) => lastOffset >= highWatermark)
  }

  /** Forgets producers that have written nothing for `expirationMs`, open transactions excepted. */
  removeExpired(nowMs: number, expirationMs: number): void {
    for (const entry of this.#entries.values()) {
      if (isExpired(entry, nowMs, expirationMs)) this.#entries.delete(entry.producerId)
    }
  }

  #endTransaction(
    header: RecordBatchHeader,
    lastOffset: number,
    marker: EndTransactionMarker,
  ): CompletedTransaction | undefined {
    const entry = this.#entryFor(header)
    const firstOffset = entry.currentTxnFirstOffset
    entry.coordinatorEpoch = marker.coordinatorEpoch
    entry.lastTimestamp = header.maxTimestamp
    entry.currentTxnFirstOffset = -1
    if (firstOffset < 0) return undefined
    const { producerId } = entry
    return { producerId, firstOffset, lastOffset, isAborted: !marker.commit }
  }

  /** The entry, made if it is missing, with the batch's epoch; a new epoch forgets the batches. */
  #entryFor(header: RecordBatchHeader): ProducerEntry {
    let entry = this.#entries.get(header.producerId)
    if (entry === undefined) {
      entry = {
        producerId: header.producerId,
        producerEpoch: header.producerEpoch,
        coordinatorEpoch: -1,
        lastTimestamp: -1,
        currentTxnFirstOffset: -1,
        batches: [],
      }
      this.#entries.set(header.producerId, entry)
    } else if (entry.producerEpoch !== header.producerEpoch) {
      entry.producerEpoch = header.producerEpoch
      entry.batches = []
    }
    return entry
  }
}

/** Whether nothing has come from a producer for so long that it is forgotten. */
export function isExpired(entry: ProducerEntry, nowMs: number, expirationMs: number): boolean {
  return entry.currentTxnFirstOffset < 0 && nowMs - entry.lastTimestamp >= expirationMs
}

function checkCoordinatorEpoch(entry: ProducerEntry, marker: EndTransactionMarker): void {
  if (entry.coordinatorEpoch <= marker.coordinatorEpoch) return
  throw new KafkaError(
    'TRANSACTION_COORDINATOR_FENCED',
    `Invalid coordinator epoch for producerId ${entry.producerId}: ${marker.coordinatorEpoch} ` +
      `(zombie), ${entry.coordinatorEpoch} (current)`,
  )
}

function checkSequence(entry: ProducerEntry, header: RecordBatchHeader): void {
  const first = header.baseSequence
  if (header.producerEpoch !== entry.producerEpoch) {
    if (first === 0) return
    throw new KafkaError(
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
      `Invalid sequence number for new epoch of producer ${header.producerId}: ` +
        `${header.producerEpoch} (request epoch), ${first} (seq. number), ` +
        `${entry.producerEpoch} (current producer epoch)`,
    )
  }
  const last = entry.batches.at(-1)?.lastSequence ?? NO_SEQUENCE
  if (first === last + 1 || (first === 0 && last === MAX_SEQUENCE)) return
  throw new KafkaError(
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    `Out of order sequence number for producer ${header.producerId}: ${first} (incoming seq. ` +
      `number), ${last} (current end sequence number)`,
  )
}

/** A producer's batch as it lies in the log; undefined for one that has no sequences. */
export function batchIn(header: RecordBatchHeader, baseOffset: number): ProducerBatch | undefined {
  if (header.producerId < 0 || header.baseSequence < 0) return undefined
  if ((header.attributes & CONTROL_MASK) !== 0) return undefined
  return producerBatch(header, baseOffset + header.lastOffsetDelta)
}

function producerBatch(header: RecordBatchHeader, lastOffset: number): ProducerBatch {
  return {
    lastSequence: lastSequence(header),
    lastOffset,
    offsetDelta: header.lastOffsetDelta,
    timestamp: header.maxTimestamp,
  }
}

/** The sequence of a batch's last record. Sequences wrap from 2^31-1 to 0. */
function lastSequence(header: RecordBatchHeader): number {
  if (header.baseSequence === NO_SEQUENCE) return NO_SEQUENCE
  const last = header.baseSequence + header.lastOffsetDelta
  return last > MAX_SEQUENCE ? last - MAX_SEQUENCE - 1 : last
}

function decrementSequence(sequence: number, by: number): number {
  const first = sequence - by
  return first < 0 ? first + MAX_SEQUENCE + 1 : first
}
