/**
 * The marker that ends a transaction: the single record of a control batch (KIP-98).
 *
 * Key: version int16, type int16 (0 abort, 1 commit). Value: version int16, coordinatorEpoch int32.
 */
import {
  CONTROL_MASK,
  RECORD_BATCH_HEADER_SIZE,
  type RecordBatchHeader,
  readInt16,
  readInt32,
} from '../protocol/records/record-batch.ts'

export interface EndTransactionMarker {
  readonly type: 'abort' | 'commit'
  readonly coordinatorEpoch: number
}

/** The marker in a batch at `position`; undefined for data and for other control records. */
export function readEndTransactionMarker(
  bytes: Buffer,
  position: number,
  header: RecordBatchHeader,
): EndTransactionMarker | undefined {
  if ((header.attributes & CONTROL_MASK) === 0 || header.recordCount < 1) return undefined
  // All lengths and deltas of such a record are below 64, one byte each:
  // length, attributes, timestampDelta, offsetDelta, keyLength, key, valueLength, value.
  const keyAt = position + RECORD_BATCH_HEADER_SIZE + 5
  const valueAt = keyAt + 5
  if (valueAt + 6 > position + header.sizeInBytes) return undefined
  const type = readInt16(bytes, keyAt + 2)
  if (type !== 0 && type !== 1) return undefined
  return { type: type === 0 ? 'abort' : 'commit', coordinatorEpoch: readInt32(bytes, valueAt + 2) }
}
