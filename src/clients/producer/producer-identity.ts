/**
 * Who an idempotent producer is to the brokers: an id, an epoch, and a sequence in each partition.
 *
 * When a batch has failed for good, the brokers would refuse all that follow it, for a sequence is
 * missing. So the producer takes a new epoch, in which sequences start at 0 again (KIP-360). It
 * does so only when no batch is left that a broker may have written under the old one: until then
 * only those are sent, and what comes back says whether they were written.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { InitProducerId } from '../../protocol/messages/init-producer-id.ts'
import type { BatchProducer } from '../../protocol/records/record-batch-writer.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { throwIfError } from '../errors.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { addSequence, type PartitionQueue, type RecordAccumulator } from './record-accumulator.ts'

const MAX_EPOCH = 0x7fff
const NOBODY: BatchProducer = {}

export class ProducerIdentity {
  readonly #cluster: ClusterClient
  readonly #accumulator: RecordAccumulator
  readonly #isIdempotent: boolean
  #producerId = -1
  #epoch = -1
  #needsEpoch = false
  #asking: Promise<void> | undefined

  /** Set by a transactional producer: told of each batch that was lost. */
  onLost: ((error: KafkaError) => void) | undefined

  constructor(cluster: ClusterClient, accumulator: RecordAccumulator, isIdempotent: boolean) {
    this.#cluster = cluster
    this.#accumulator = accumulator
    this.#isIdempotent = isIdempotent
  }

  /** Takes the id and epoch that a transaction coordinator gave: all sequences start at 0. */
  adopt(producerId: number, epoch: number): void {
    this.#producerId = producerId
    this.#epoch = epoch
    this.#startSequences()
  }

  get #isTransactional(): boolean {
    return this.onLost !== undefined
  }

  get isIdempotent(): boolean {
    return this.#isIdempotent
  }

  get producerId(): number {
    return this.#producerId
  }

  get epoch(): number {
    return this.#epoch
  }

  /**
   * Whether batches may be sent. If not, it gets what is missing, and then calls `ready`, with the
   * error if it will never be had.
   */
  isReady(ready: (error?: KafkaError) => void): boolean {
    if (!this.#isIdempotent) return true
    if (this.#needsEpoch) this.#raiseEpoch()
    if (this.#producerId >= 0) return true
    this.#asking ??= this.#ask()
      .then(
        () => undefined,
        (error) => (error instanceof KafkaError ? error : new KafkaError('UNKNOWN_SERVER_ERROR')),
      )
      .then((error) => {
        this.#asking = undefined
        ready(error)
      })
    return false
  }

  /** Whether a batch may be sent now: while a new epoch is due, only those of the old one. */
  admits(batch: ProducerBatch): boolean {
    return !this.#needsEpoch || batch.baseSequence >= 0
  }

  /**
   * Whether a batch must not overtake those before it. A leader that knows nothing of a producer
   * takes any sequence for its first, so until it has written one, only one is under way.
   */
  needsOrder({ queue }: ProducerBatch): boolean {
    return this.#isIdempotent && !queue.isEstablished
  }

  /** The producer's mark on a batch that is about to be sent, with its sequence. */
  mark(batch: ProducerBatch): BatchProducer {
    if (!this.#isIdempotent) return NOBODY
    if (batch.baseSequence < 0) {
      batch.baseSequence = batch.queue.nextSequence
      batch.queue.nextSequence = addSequence(batch.baseSequence, batch.recordCount)
    }
    const { baseSequence } = batch
    const transactional = this.#isTransactional
    return { producerId: this.#producerId, producerEpoch: this.#epoch, baseSequence, transactional }
  }

  /** A batch was given up while it was under way: it may be written or not. */
  noteGivenUp(error: KafkaError): void {
    this.onLost?.(error)
  }

  /** A batch that had a sequence will not be written: those after it need a new epoch. */
  noteFailed(batch: ProducerBatch, error: KafkaError): void {
    // A transaction that lacks a record can only be aborted; the next one has a new epoch.
    if (this.onLost !== undefined) this.onLost(error)
    else if (this.#isIdempotent && batch.baseSequence >= 0) this.#needsEpoch = true
  }

  /**
   * Whether an error means only that the broker does not know the batch's sequence, so that it can
   * be sent again. It was not written then.
   */
  mayResend(batch: ProducerBatch, errorCode: number): boolean {
    if (!this.#isIdempotent) return false
    if (errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER) {
      // While an earlier batch is not settled, the gap is that one's doing and will be filled.
      if (!this.#needsEpoch && hasEarlier(batch)) return true
    }
    if (this.#isTransactional) return false
    if (
      errorCode !== ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER &&
      errorCode !== ErrorCode.UNKNOWN_PRODUCER_ID &&
      errorCode !== ErrorCode.INVALID_PRODUCER_EPOCH
    ) {
      return false
    }
    batch.baseSequence = -1
    this.#needsEpoch = true
    // An epoch that the broker does not accept is not ours: a new id has none of the past.
    if (errorCode === ErrorCode.INVALID_PRODUCER_EPOCH) this.#epoch = MAX_EPOCH
    return true
  }

  #raiseEpoch(): void {
    for (const queue of this.#accumulator.queues()) if (!isSettled(queue)) return
    this.#needsEpoch = false
    this.#startSequences()
    if (this.#epoch < MAX_EPOCH - 1) this.#epoch += 1
    else this.#producerId = -1
  }

  #startSequences(): void {
    for (const queue of this.#accumulator.queues()) {
      queue.nextSequence = 0
      queue.isEstablished = false
    }
  }

  async #ask(): Promise<void> {
    const limits = this.#cluster.limits()
    const request = { transactionalId: null, transactionTimeoutMs: 0x7fff_ffff }
    await this.#cluster.retry(limits, async () => {
      const response = await this.#cluster.sendToAny(InitProducerId, request, limits)
      throwIfError(response.errorCode)
      this.#producerId = response.producerId
      this.#epoch = response.producerEpoch
    })
  }
}

/**
 * Whether no batch of a queue may have been written under the old epoch. One that comes after a
 * batch that was not written was not written either, for the sequence before its own is missing.
 */
function isSettled({ inFlight, batches }: PartitionQueue): boolean {
  if (inFlight.size > 0) return false
  if (batches.length > 0 && batches[0]!.baseSequence >= 0) return false
  for (const batch of batches) batch.baseSequence = -1
  return true
}

function hasEarlier(batch: ProducerBatch): boolean {
  const { inFlight, batches } = batch.queue
  const isEarlier = (other: ProducerBatch) => other !== batch && other.order < batch.order
  return [...inFlight].some(isEarlier) || batches.some(isEarlier)
}
