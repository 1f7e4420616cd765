/**
 * Which leader wrote which part of the log: for each leader epoch the offset at which it began
 * (KIP-101, KIP-279). A follower or consumer that asks where an epoch ended learns where its own
 * log and the leader's part ways.
 *
 * Kept in `leader-epoch-checkpoint`. Changes are rare (an election, a truncation) and are written
 * in the background: a lost write is made good at the next start, from the epochs in the batches or
 * by cutting what lies beyond the log. `persisted` is awaited before the recovery point passes the
 * batches concerned, because batches below it are not read again.
 */
import type { Disk } from '../common/disk.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint-file.ts'
import { CoalescedTask } from './coalesced-task.ts'

export interface EpochEntry {
  readonly epoch: number
  readonly startOffset: number
}

/** No epoch is known. */
export const UNDEFINED_EPOCH = -1
/** No end offset is known for the epoch asked for. */
export const UNDEFINED_EPOCH_OFFSET = -1

export class LeaderEpochCache {
  /** Ascending in both fields. */
  #entries: EpochEntry[]
  #dirty = false
  readonly #write: CoalescedTask

  constructor(disk: Disk, path: string) {
    this.#entries = []
    for (const [epoch, startOffset] of readCheckpoint(disk, path, 2)) {
      this.#insert({ epoch: Number(epoch), startOffset: Number(startOffset) })
    }
    this.#write = new CoalescedTask(async () => {
      if (!this.#dirty) return
      this.#dirty = false
      try {
        await writeCheckpoint(
          disk,
          path,
          this.#entries.map(({ epoch, startOffset }) => [epoch, startOffset]),
        )
      } catch (error) {
        this.#dirty = true
        throw error
      }
    })
  }

  /** Whether there are changes that the file may not have. */
  get isDirty(): boolean {
    return this.#dirty
  }

  entries(): readonly EpochEntry[] {
    return this.#entries
  }

  latestEpoch(): number | undefined {
    return this.#entries.at(-1)?.epoch
  }

  earliest(): EpochEntry | undefined {
    return this.#entries[0]
  }

  /** Notes that `epoch` began at `startOffset`. An epoch that is known already keeps its start. */
  assign(epoch: number, startOffset: number): void {
    const latest = this.#entries.at(-1)
    if (latest !== undefined && latest.epoch === epoch && startOffset >= latest.startOffset) return
    if (epoch < 0 || startOffset < 0) throw new Error(`epoch ${epoch} at offset ${startOffset}`)
    this.#insert({ epoch, startOffset })
    this.#dirty = true
  }

  /** The epoch of the batch at `offset`. */
  epochForOffset(offset: number): number | undefined {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch
  }

  /**
   * The largest known epoch at or below `epoch`, and where it ended: where the next one began, or
   * at `logEndOffset`. As in Kafka, an epoch above all known ones is undefined, and one below all
   * known ones ended where the first of them began.
   */
  endOffsetFor(epoch: number, logEndOffset: number): { epoch: number; endOffset: number } {
    if (epoch === UNDEFINED_EPOCH) return undefinedEnd()
    if (this.latestEpoch() === epoch) return { epoch, endOffset: logEndOffset }
    const higher = this.#entries.findIndex((entry) => entry.epoch > epoch)
    if (higher < 0) return undefinedEnd()
    const endOffset = this.#entries[higher]!.startOffset
    return { epoch: this.#entries[higher - 1]?.epoch ?? epoch, endOffset }
  }

  /** Forgets the epochs that began at or after `endOffset`. */
  truncateFromEnd(endOffset: number): void {
    const kept = this.#entries.filter((entry) => entry.startOffset < endOffset)
    if (kept.length === this.#entries.length) return
    this.#entries = kept
    this.#dirty = true
  }

  /** Forgets the epochs that ended before `startOffset`; the one it lies in now begins there. */
  truncateFromStart(startOffset: number): void {
    const current = this.#entries.findLastIndex((entry) => entry.startOffset <= startOffset)
    if (current < 0 || (current === 0 && this.#entries[0]!.startOffset === startOffset)) return
    const epoch = this.#entries[current]!.epoch
    this.#entries = [{ epoch, startOffset }, ...this.#entries.slice(current + 1)]
    this.#dirty = true
  }

  clear(): void {
    if (this.#entries.length === 0) return
    this.#entries = []
    this.#dirty = true
  }

  /** Resolves once the file has all changes made before the call. */
  async persisted(): Promise<void> {
    await this.#write.run()
  }

  /** Resolves when no write is under way, whatever came of it. */
  idle(): Promise<void> {
    return this.#write.idle()
  }

  /** An entry that contradicts earlier ones is right: a later leader has truncated the log. */
  #insert(entry: EpochEntry): void {
    const kept = this.#entries.filter(
      (other) => other.epoch < entry.epoch && other.startOffset < entry.startOffset,
    )
    kept.push(entry)
    this.#entries = kept
  }
}

function undefinedEnd() {
  return { epoch: UNDEFINED_EPOCH, endOffset: UNDEFINED_EPOCH_OFFSET }
}
