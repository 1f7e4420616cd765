/**
 * Control records: what a control batch holds instead of data. Each such batch has one record,
 * which takes an offset like any other but is never shown to consumers.
 *
 * ```
 * key     version int16, type int16
 * value   for abort and commit: version int16, coordinatorEpoch int32
 * ```
 * A transaction ends in a partition with an abort or commit marker (KIP-98). The other types belong
 * to the log of a Raft quorum (KIP-595, KIP-630, KIP-853) and are only recognised.
 */
import { KafkaError } from '../../common/errors.ts'
import { readInt16, readInt32, writeInt32 } from './record-batch.ts'

export const ControlRecordType = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const

export interface EndTransactionMarker {
  commit: boolean
  /** Fences the markers of an older transaction coordinator. */
  coordinatorEpoch: number
}

const KEY_SIZE = 4
const MARKER_VALUE_SIZE = 6

/** The type in a control record's key. Throws INVALID_RECORD for what is not such a key. */
export function readControlRecordType(key: Buffer | null): number {
  if (key === null || key.length < KEY_SIZE || readInt16(key, 0) < 0) {
    throw new KafkaError('INVALID_RECORD', 'A control record has an invalid key')
  }
  return readInt16(key, 2)
}

/** The marker that a control record is, or undefined if it is one of another type. */
export function readEndTransactionMarker(
  key: Buffer | null,
  value: Buffer | null,
): EndTransactionMarker | undefined {
  const type = readControlRecordType(key)
  if (type !== ControlRecordType.ABORT && type !== ControlRecordType.COMMIT) return undefined
  if (value === null || value.length < MARKER_VALUE_SIZE || readInt16(value, 0) < 0) {
    throw new KafkaError('INVALID_RECORD', 'An end-of-transaction marker has an invalid value')
  }
  return { commit: type === ControlRecordType.COMMIT, coordinatorEpoch: readInt32(value, 2) }
}

/** Key and value of an abort or commit marker. */
export function endTransactionMarkerRecord(marker: EndTransactionMarker): {
  key: Buffer
  value: Buffer
} {
  const key = Buffer.alloc(KEY_SIZE)
  key[3] = marker.commit ? ControlRecordType.COMMIT : ControlRecordType.ABORT
  const value = Buffer.alloc(MARKER_VALUE_SIZE)
  writeInt32(value, 2, marker.coordinatorEpoch)
  return { key, value }
}
