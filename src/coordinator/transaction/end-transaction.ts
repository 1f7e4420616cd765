/**
 * EndTxn, as a decision: what is known of the transactional id, what is asked, and what is known
 * afterwards.
 *
 * Up to version 4 the producer keeps its epoch, and a request that comes twice is one for a
 * transaction that has ended the way it asks. From version 5 on (KIP-890) every transaction ends
 * with a raised epoch, so that a request that comes twice is known by the epoch before; and an
 * abort raises the epoch also where the coordinator has seen no partition: the producer may have
 * sent records that are still on their way.
 */
import { KafkaError } from '../../common/errors.ts'
import {
  isEpochExhausted,
  isPrepared,
  MAX_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  type ProducerIdAndEpoch,
  TRANSACTION_V2,
  type TransactionMetadata,
} from './transaction-metadata.ts'

export interface EndRequest extends ProducerIdAndEpoch {
  readonly transactionalId: string
  readonly isCommit: boolean
  /** 2 for clients that expect a raised epoch. */
  readonly clientTransactionVersion: number
}

/**
 * What is known next, in state PrepareCommit or PrepareAbort; undefined where it is as asked
 * already. Throws KafkaError: INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, INVALID_TXN_STATE,
 * CONCURRENT_TRANSACTIONS while the markers of just this outcome are being written.
 */
export function endTransaction(
  current: TransactionMetadata | undefined,
  request: EndRequest,
  nowMs: number,
  newProducerId: () => number,
): TransactionMetadata | undefined {
  if (current === undefined) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
  return request.clientTransactionVersion >= TRANSACTION_V2
    ? endWithNewEpoch(current, request, nowMs, newProducerId)
    : endWithSameEpoch(current, request, nowMs)
}

function endWithSameEpoch(
  current: TransactionMetadata,
  request: EndRequest,
  nowMs: number,
): TransactionMetadata | undefined {
  if (current.producerId !== request.producerId) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
  if (current.producerEpoch !== request.producerEpoch) throw new KafkaError('PRODUCER_FENCED')
  if (current.state === 'Ongoing') return prepared(current, request, nowMs)
  checkIsRepetition(current, request)
  return undefined
}

function endWithNewEpoch(
  current: TransactionMetadata,
  request: EndRequest,
  nowMs: number,
  newProducerId: () => number,
): TransactionMetadata | undefined {
  const isRepetition = isRepeated(current, request)
  if (current.producerId !== request.producerId && !isRepetition) {
    throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
  }
  if (isRepetition) {
    checkIsRepetition(current, request)
    return undefined
  }
  const { producerEpoch } = request
  if (current.producerEpoch !== producerEpoch || isPrepared(current)) {
    throw new KafkaError('PRODUCER_FENCED')
  }
  const isOngoing = current.state === 'Ongoing'
  if (!isOngoing && request.isCommit) throw invalidState(current, request)
  return {
    ...prepared(current, request, nowMs),
    producerEpoch: producerEpoch + 1,
    nextProducerId: isEpochExhausted(producerEpoch) ? newProducerId() : NO_PRODUCER_ID,
    startTimestampMs: isOngoing ? current.startTimestampMs : nowMs,
  }
}

/** Whether the request is known by the epoch before. */
function isRepeated(current: TransactionMetadata, request: EndRequest): boolean {
  if (current.clientTransactionVersion < TRANSACTION_V2) return false
  if (current.state === 'Empty' || current.state === 'Ongoing') return false
  const { producerId, producerEpoch } = request
  if (producerId === current.producerId && producerEpoch + 1 === current.producerEpoch) {
    // The very last epoch is only for fencing: its producer must ask for another id.
    return current.producerEpoch < MAX_PRODUCER_EPOCH || current.nextProducerId !== NO_PRODUCER_ID
  }
  const isRenewed = current.producerEpoch === 0 && !isPrepared(current)
  return isRenewed && producerId === current.previousProducerId && isEpochExhausted(producerEpoch)
}

/** Throws unless the transaction has ended as `request` asks. */
function checkIsRepetition(current: TransactionMetadata, request: EndRequest): void {
  const outcome = request.isCommit ? 'Commit' : 'Abort'
  if (current.state === `Prepare${outcome}`) throw new KafkaError('CONCURRENT_TRANSACTIONS')
  if (current.state !== `Complete${outcome}`) throw invalidState(current, request)
}

function prepared(
  current: TransactionMetadata,
  { isCommit, clientTransactionVersion }: EndRequest,
  nowMs: number,
): TransactionMetadata {
  return {
    ...current,
    state: isCommit ? 'PrepareCommit' : 'PrepareAbort',
    lastUpdateTimestampMs: nowMs,
    clientTransactionVersion,
  }
}

function invalidState(current: TransactionMetadata, request: EndRequest): KafkaError {
  return new KafkaError(
    'INVALID_TXN_STATE',
    `A transaction in state ${current.state} cannot be ` +
      (request.isCommit ? 'committed' : 'aborted'),
  )
}
