/**
 * Finds the marker that ends a transaction in a control batch, at the price of a few byte reads:
 * this happens for every batch of every log that is recovered.
 */
import { ControlRecordType, type EndTransactionMarker } from '../protocol/records/control-record.ts'
import {
  CONTROL_MASK,
  RECORD_BATCH_HEADER_SIZE,
  type RecordBatchHeader,
  readInt16,
  readInt32,
} from '../protocol/records/record-batch.ts'

export type { EndTransactionMarker }

/** The marker in a batch at `position`; undefined for data and for other control records. */
export function readMarker(
  bytes: Buffer,
  position: number,
  header: RecordBatchHeader,
): EndTransactionMarker | undefined {
  if ((header.attributes & CONTROL_MASK) === 0 || header.recordCount < 1) return undefined
  // length, attributes, timestampDelta, offsetDelta, keyLength, key, valueLength, value. All are of
  // one byte, except the timestamp's delta once the log cleaner has given the batch a horizon.
  const timestampAt = position + RECORD_BATCH_HEADER_SIZE + 2
  const end = position + header.sizeInBytes
  let at = timestampAt
  while (at < end && bytes[at]! >= 0x80) at += 1
  const keyAt = at + 3
  const valueAt = keyAt + 5
  if (valueAt + 6 > end) return undefined
  const type = readInt16(bytes, keyAt + 2)
  if (type !== ControlRecordType.ABORT && type !== ControlRecordType.COMMIT) return undefined
  return {
    commit: type === ControlRecordType.COMMIT,
    coordinatorEpoch: readInt32(bytes, valueAt + 2),
  }
}
