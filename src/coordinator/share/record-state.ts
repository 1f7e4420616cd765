/**
 * How far a share group has got with a record (KIP-932), and the form in which that is written
 * down.
 *
 * ```
 *              acquire                 accept
 *  AVAILABLE ───────────► ACQUIRED ─────────────► ACKNOWLEDGED
 *      ▲                     │ │    reject, gap
 *      └─────────────────────┘ └────────────────► ARCHIVED
 *   release, lock expired,        (or released for the last time that the limit allows)
 *   session closed
 * ```
 * ACKNOWLEDGED and ARCHIVED are final. ACQUIRED is never written down: whoever takes over finds
 * such records available.
 */

/** The numbers are those of Kafka's records and requests. */
export const RecordState = {
  AVAILABLE: 0,
  ACQUIRED: 1,
  ACKNOWLEDGED: 2,
  ARCHIVED: 4,
} as const

export type RecordStateCode = (typeof RecordState)[keyof typeof RecordState]

/** A row of offsets in the same state, delivered the same number of times. */
export interface StateBatch {
  readonly firstOffset: number
  /** Inclusive. */
  readonly lastOffset: number
  /** A RecordStateCode, as far as the writer can be trusted. */
  readonly deliveryState: number
  readonly deliveryCount: number
}

/** Whether a record in this state will never be delivered again. */
export function isFinalState(state: number): boolean {
  return state === RecordState.ACKNOWLEDGED || state === RecordState.ARCHIVED
}

/**
 * Appends `batch` to `batches`, as one with the last of them where it carries on from it in the
 * same state and with the same count.
 */
export function appendStateBatch(batches: StateBatch[], batch: StateBatch): void {
  const last = batches.at(-1)
  if (
    last !== undefined &&
    last.lastOffset + 1 === batch.firstOffset &&
    last.deliveryState === batch.deliveryState &&
    last.deliveryCount === batch.deliveryCount
  ) {
    batches[batches.length - 1] = { ...last, lastOffset: batch.lastOffset }
  } else {
    batches.push(batch)
  }
}
