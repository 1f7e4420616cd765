/**
 * What has been fetched and not yet handed out, in the order in which it came: one answer's share
 * of a partition after the other, so that no partition is passed over.
 */
import type { ConsumerRecord } from './consumer-record.ts'
import type { PartitionRecords } from './consumer-records.ts'
import type { FetchedRecords } from './fetched-records.ts'
import type { PartitionState, Position } from './partition-state.ts'

/** Records of one partition on their way through the application. */
export class PartitionBatch<Key, Value> implements PartitionRecords<Key, Value> {
  readonly state: PartitionState
  records: ConsumerRecord<Key, Value>[] = []
  next: Position
  readonly #jumps: number

  constructor(state: PartitionState) {
    this.state = state
    this.#jumps = state.jumps
    this.next = { offset: state.offset, leaderEpoch: state.offsetEpoch }
  }

  get topic(): string {
    return this.state.topic
  }

  get partition(): number {
    return this.state.partition
  }

  /** Whether the partition has jumped elsewhere, or was given away, since. */
  get isStale(): boolean {
    return this.state.jumps !== this.#jumps
  }

  /** The application is done with the records up to this one. */
  consumed({ offset, leaderEpoch }: ConsumerRecord<Key, Value>): void {
    if (!this.isStale) this.state.consumed(offset + 1, leaderEpoch)
  }

  /** The application gets the records up to this one. */
  delivered({ offset, leaderEpoch }: ConsumerRecord<Key, Value>): void {
    if (!this.isStale) this.state.delivered(offset + 1, leaderEpoch)
  }

  /** The application gets all of it. */
  deliveredAll(): void {
    if (!this.isStale) this.state.delivered(this.next.offset, this.next.leaderEpoch)
  }

  /** What has not been delivered of it is to be delivered again. */
  giveBack(): void {
    if (!this.isStale) this.state.rewind()
  }

  /** The application is done with all of it. */
  consumedAll(): void {
    if (!this.isStale) this.state.consumed(this.next.offset, this.next.leaderEpoch)
  }
}

export class FetchBuffer<Key, Value> {
  #chunks: FetchedRecords<Key, Value>[] = []
  #sizeInBytes = 0

  /** Of all that is held. */
  get sizeInBytes(): number {
    return this.#sizeInBytes
  }

  add(chunk: FetchedRecords<Key, Value>): void {
    this.#chunks.push(chunk)
    this.#sizeInBytes += chunk.sizeInBytes
    chunk.state.bufferedBytes += chunk.sizeInBytes
  }

  /**
   * At most `max` records, and moves the positions of their partitions past them. Throws
   * CorruptRecordError if the first one to be handed out cannot be read.
   */
  collect(max: number): PartitionBatch<Key, Value>[] {
    const batches: PartitionBatch<Key, Value>[] = []
    if (this.#chunks.length === 0) return batches
    const passedOver: FetchedRecords<Key, Value>[] = []
    let left = max
    try {
      while (left > 0) {
        const chunk = this.#chunks[0]
        if (chunk === undefined) break
        if (!chunk.isStale && chunk.state.mayHandOut) left -= this.#takeFrom(chunk, left, batches)
        else if (!chunk.isStale) passedOver.push(chunk)
        if (chunk.isDone || chunk.isStale) this.#release(chunk)
        else if (left > 0) this.#chunks.shift()
      }
    } catch (error) {
      this.#drop(this.#chunks[0]!.state)
      // What came before is handed out first; the error comes up again when it is its turn.
      if (batches.length === 0) throw error
    } finally {
      if (passedOver.length > 0) this.#chunks.unshift(...passedOver)
    }
    return batches
  }

  /** Gives up what is held of partitions that are not to be read now: it is fetched again. */
  dropWithheld(): void {
    for (const { state } of this.#chunks) if (!state.isFetchable) this.#drop(state)
  }

  clear(): void {
    for (const { state } of this.#chunks) this.#drop(state)
  }

  #takeFrom(
    chunk: FetchedRecords<Key, Value>,
    max: number,
    batches: PartitionBatch<Key, Value>[],
  ): number {
    const { state } = chunk
    const known = batches.find((batch) => batch.state === state)
    const batch = known ?? new PartitionBatch<Key, Value>(state)
    // Whether there are records that the application is not done with.
    const isOwing = known !== undefined || state.consumedOffset !== state.offset
    try {
      return chunk.take(max, batch.records)
    } finally {
      const next = { offset: chunk.offset, leaderEpoch: chunk.epoch }
      if (next.offset > state.offset) {
        state.advance(next.offset, next.leaderEpoch)
        batch.next = next
      }
      if (known === undefined && batch.records.length > 0) batches.push(batch)
      else if (!isOwing) state.consumed(state.offset, state.offsetEpoch)
    }
  }

  #drop(state: PartitionState): void {
    for (const chunk of this.#chunks.filter((held) => held.state === state)) this.#release(chunk)
    state.refetch()
  }

  #release(chunk: FetchedRecords<Key, Value>): void {
    if (this.#chunks[0] === chunk) this.#chunks.shift()
    else this.#chunks.splice(this.#chunks.indexOf(chunk), 1)
    this.#sizeInBytes -= chunk.sizeInBytes
    if (!chunk.isStale) chunk.state.bufferedBytes -= chunk.sizeInBytes
  }
}
