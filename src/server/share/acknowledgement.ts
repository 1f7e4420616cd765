/** What a member of a share group says of records it was given, and whether it may. */
import { KafkaError } from '../../common/errors.ts'
import { RecordState, type RecordStateCode } from '../../coordinator/share/record-state.ts'
import type { InFlightRanges } from './in-flight-ranges.ts'

/** The numbers are those of ShareFetch and ShareAcknowledge. */
export const AcknowledgeType = {
  /** There is no record at this offset. */
  GAP: 0,
  ACCEPT: 1,
  /** Not done: to be delivered again. */
  RELEASE: 2,
  /** Can never be done: not to be delivered again. */
  REJECT: 3,
  /** Still at it: the lock begins anew (KIP-1222). */
  RENEW: 4,
} as const

/** An acknowledgement of a row of offsets: of all with one type, or with one type for each. */
export interface AcknowledgementBatch {
  readonly firstOffset: number
  /** Inclusive. */
  readonly lastOffset: number
  readonly acknowledgeTypes: readonly number[]
}

/** The state into which an acknowledgement brings a record; ACQUIRED for a renewal. */
export function stateAfter(type: number): RecordStateCode {
  switch (type) {
    case AcknowledgeType.ACCEPT:
      return RecordState.ACKNOWLEDGED
    case AcknowledgeType.RELEASE:
      return RecordState.AVAILABLE
    case AcknowledgeType.RENEW:
      return RecordState.ACQUIRED
    default:
      return RecordState.ARCHIVED
  }
}

/**
 * What is wrong with the acknowledgements that a request has for one partition, before anybody
 * looks at the partition: INVALID_REQUEST, or undefined. Renewals are not allowed in every request.
 */
export function acknowledgementError(
  batches: readonly AcknowledgementBatch[],
  options: { readonly mayRenew: boolean },
): KafkaError | undefined {
  const invalid = (message: string) => new KafkaError('INVALID_REQUEST', message)
  const maxType = options.mayRenew ? AcknowledgeType.RENEW : AcknowledgeType.REJECT
  let previousEnd = -1
  for (const { firstOffset, lastOffset, acknowledgeTypes } of batches) {
    if (firstOffset > lastOffset) return invalid('The first offset is beyond the last offset')
    if (firstOffset <= previousEnd) return invalid('The acknowledged offsets overlap')
    if (acknowledgeTypes.length === 0) return invalid('There is no acknowledge type')
    const isForEach = acknowledgeTypes.length > 1
    if (isForEach && lastOffset - firstOffset !== acknowledgeTypes.length - 1) {
      return invalid('The number of acknowledge types differs from that of the offsets')
    }
    if (acknowledgeTypes.some((type) => type < AcknowledgeType.GAP || type > maxType)) {
      return invalid('The acknowledge type is unknown')
    }
    previousEnd = lastOffset
  }
  return undefined
}

/**
 * Throws unless all records of the batch are with the member: INVALID_RECORD_STATE, or
 * INVALID_REQUEST for what nobody has been given. Records that the log no longer has are none of
 * the member's doing, and pass.
 */
export function checkAcknowledgement(
  ranges: InFlightRanges,
  memberId: string,
  { firstOffset, lastOffset }: AcknowledgementBatch,
  logStartOffset: number,
): void {
  if (lastOffset < logStartOffset) return
  if (lastOffset < ranges.startOffset) {
    throw invalidState(
      'Batch record not found. The request batch offsets are not found in the cache.',
    )
  }
  if (lastOffset >= ranges.nextOffset) {
    const end = firstOffset >= ranges.nextOffset ? 'first' : 'last'
    const what = `The ${end} offset in request is past acquired records.`
    throw new KafkaError('INVALID_REQUEST', `Batch record not found. ${what}`)
  }
  for (const range of ranges.overlapping(firstOffset, lastOffset)) {
    if (range.state !== RecordState.ACQUIRED) {
      throw invalidState(
        'The batch cannot be acknowledged. The batch is not in the acquired state.',
      )
    }
    if (range.memberId !== memberId) {
      throw invalidState('Member is not the owner of batch record')
    }
    if (range.pending !== undefined) {
      throw invalidState(
        'The record state is invalid. The acknowledgement of delivery could not be completed.',
      )
    }
  }
}

function invalidState(message: string): KafkaError {
  return new KafkaError('INVALID_RECORD_STATE', message)
}
