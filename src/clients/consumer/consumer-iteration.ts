/**
 * `for await` over a consumer's records, one at a time.
 *
 * A record counts as consumed when the next one is asked for, so what is committed by itself was
 * worked on. Where the loop is left by `break` or an error, the record at hand counts as delivered:
 * a further loop or poll goes on after it, and has it count as consumed.
 */
import { ClosedError } from '../errors.ts'
import type { ConsumerCore } from './consumer-core.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import type { PartitionBatch } from './fetch-buffer.ts'

/** At least so often, between records, the membership gets its turn. */
const TURN_INTERVAL_MS = 500

type Result<Key, Value> = IteratorResult<ConsumerRecord<Key, Value>, undefined>

export class ConsumerIteration<Key, Value>
  implements AsyncIterator<ConsumerRecord<Key, Value>, undefined>
{
  readonly #core: ConsumerCore<Key, Value>
  #batches: PartitionBatch<Key, Value>[] = []
  /** The batch at hand, and the place in it of the next record. */
  #batch: PartitionBatch<Key, Value> | undefined
  #at = 0
  #turnAtMs = 0

  constructor(core: ConsumerCore<Key, Value>) {
    this.#core = core
  }

  async next(): Promise<Result<Key, Value>> {
    const { clock } = this.#core.environment
    this.#finish()
    try {
      for (;;) {
        if (this.#core.wantsTurn || clock.monotonic() >= this.#turnAtMs) {
          await this.#core.turn()
          this.#turnAtMs = clock.monotonic() + TURN_INTERVAL_MS
        }
        const value = this.#take()
        if (value !== undefined) return { value, done: false }
        this.#batches = await this.#core.next()
      }
    } catch (error) {
      this.#giveBack()
      if (error instanceof ClosedError && this.#core.isStopped)
        return { value: undefined, done: true }
      throw error
    }
  }

  async return(): Promise<Result<Key, Value>> {
    this.#giveBack()
    return { value: undefined, done: true }
  }

  /** The application is done with the record that it got last. */
  #finish(): void {
    const batch = this.#batch
    if (batch === undefined || this.#at === 0) return
    if (this.#at === batch.records.length) batch.consumedAll()
    else batch.consumed(batch.records[this.#at - 1]!)
  }

  /** The next record, of a partition that is still where it was. */
  #take(): ConsumerRecord<Key, Value> | undefined {
    for (;;) {
      const batch = this.#batch
      if (batch !== undefined && !batch.isStale && this.#at < batch.records.length) {
        const record = batch.records[this.#at++]!
        batch.delivered(record)
        return record
      }
      // An interceptor may have left nothing of it.
      if (batch !== undefined && this.#at === batch.records.length) batch.consumedAll()
      this.#at = 0
      this.#batch = this.#batches.shift()
      if (this.#batch === undefined) return undefined
    }
  }

  /** Whoever reads on begins after the record that was delivered last. */
  #giveBack(): void {
    if (this.#batch !== undefined) this.#core.hold([this.#batch.state])
    for (const batch of [this.#batch, ...this.#batches]) batch?.giveBack()
    this.#batch = undefined
    this.#batches = []
    this.#at = 0
  }
}
