/**
 * What a member of a share group says of records it was given: of each offset one thing, put into
 * the rows that requests carry.
 */

/** The numbers are those of ShareFetch and ShareAcknowledge. */
export const AcknowledgeCode = {
  /** There is no record at this offset. */
  gap: 0,
  accept: 1,
  release: 2,
  reject: 3,
  renew: 4,
} as const

/**
 * `accept`: done; `release`: not done, somebody may try again; `reject`: can never be done;
 * `renew`: still at it, the lock begins anew (KIP-1222).
 */
export type AcknowledgeType = Exclude<keyof typeof AcknowledgeCode, 'gap'>

/** A row of offsets, with one code for all of them or one for each. */
export interface AcknowledgementBatch {
  readonly firstOffset: number
  /** Inclusive. */
  readonly lastOffset: number
  readonly acknowledgeTypes: number[]
}

/** The codes by offset. Of an offset that comes twice the later counts. */
export type Acknowledgements = ReadonlyMap<number, number>

/** As few rows as say it all, in the order of their offsets. */
export function acknowledgementBatches(acknowledgements: Acknowledgements): AcknowledgementBatch[] {
  const offsets = [...acknowledgements.keys()].sort((a, b) => a - b)
  const batches: AcknowledgementBatch[] = []
  for (let start = 0, end = 0; start < offsets.length; start = end) {
    end = start + 1
    while (end < offsets.length && offsets[end] === offsets[end - 1]! + 1) end++
    const codes = offsets.slice(start, end).map((offset) => acknowledgements.get(offset)!)
    const isSame = codes.every((code) => code === codes[0])
    batches.push({
      firstOffset: offsets[start]!,
      lastOffset: offsets[end - 1]!,
      acknowledgeTypes: isSame ? [codes[0]!] : codes,
    })
  }
  return batches
}

/** Whether a lock is to be renewed: such a request may not ask for records at the same time. */
export function hasRenewal(acknowledgements: Acknowledgements): boolean {
  for (const code of acknowledgements.values()) if (code === AcknowledgeCode.renew) return true
  return false
}
