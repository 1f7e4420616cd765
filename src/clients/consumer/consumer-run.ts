/**
 * Calls an application back for what is read: in the order of each partition, and for several
 * partitions at once.
 *
 * ```
 * poll ─► batches, one a partition ─► ready ─► at most `concurrency` at work ─► consumed
 *   ▲         its next one waits until this one is done              │
 *   └────────────────────────────────────────────────────────────────┘
 * ```
 * What is consumed moves on after each callback, so that nothing is committed by itself that was
 * not worked on. Before a partition is given away, the callback on it is awaited, and the rest of
 * its batch is left to its next owner.
 */
import type { Timer } from '../../common/clock.ts'
import { processTraceContext, type TraceContext } from '../../common/trace-context.ts'
import { ClosedError } from '../errors.ts'
import { partitionName, type TopicPartition } from '../topic-partition.ts'
import { runInTraceOf } from '../tracing.ts'
import type { ConsumerCore } from './consumer-core.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import type { PartitionRecords } from './consumer-records.ts'
import type { PartitionBatch } from './fetch-buffer.ts'

/** What to do about a record for which the callback has thrown. */
export type ErrorDecision = 'stop' | 'skip' | 'retry'

interface CommonRunOptions<Key, Value> {
  /** How many partitions are worked on at once; 1 if it is not given. */
  readonly concurrency?: number
  /**
   * Decides what becomes of a callback's error. `stop`: `run` rejects with it, and the record (or
   * batch) does not count as consumed; so it is without this function. `skip` counts it as
   * consumed. `retry` calls back again after `retry.backoff.ms`, twice as long each time. Of a
   * batch, `record` is the first.
   */
  readonly onError?: (
    error: unknown,
    record: ConsumerRecord<Key, Value>,
  ) => ErrorDecision | Promise<ErrorDecision>
  /** Ends the run: callbacks under way are awaited. */
  readonly signal?: AbortSignal
}

export type RunOptions<Key, Value> = CommonRunOptions<Key, Value> &
  (
    | {
        readonly eachRecord: (record: ConsumerRecord<Key, Value>) => unknown
        readonly eachBatch?: undefined
      }
    | {
        readonly eachBatch: (batch: PartitionRecords<Key, Value>) => unknown
        readonly eachRecord?: undefined
      }
  )

/** A batch that is being worked on. */
interface Job<Key, Value> {
  readonly batch: PartitionBatch<Key, Value>
  /** No further callback: the partition is about to be given away, or the run ends. */
  isStopped: boolean
  /** Since when the callback is at work (monotonic). */
  sinceMs: number
  readonly done: Promise<void>
}

export class ConsumerRun<Key, Value> {
  readonly #core: ConsumerCore<Key, Value>
  readonly #options: RunOptions<Key, Value>
  readonly #concurrency: number
  readonly #maxPollIntervalMs: number
  readonly #trace: TraceContext
  /** Waits for its turn. */
  #ready: PartitionBatch<Key, Value>[] = []
  readonly #jobs = new Set<Job<Key, Value>>()
  /** Ends the waits before retries. */
  readonly #waits = new Set<() => void>()
  #failure: { readonly error: unknown } | undefined
  #isEnding = false
  #ended: Promise<void> = Promise.resolve()

  /** Throws RangeError. */
  constructor(core: ConsumerCore<Key, Value>, options: RunOptions<Key, Value>) {
    this.#core = core
    this.#options = options
    this.#concurrency = options.concurrency ?? 1
    this.#trace = core.environment.trace ?? processTraceContext
    this.#maxPollIntervalMs = core.config.get('max.poll.interval.ms')
    if (!(this.#concurrency >= 1)) {
      throw new RangeError(`A concurrency of ${this.#concurrency} works on nothing`)
    }
  }

  async run(): Promise<void> {
    const end = () => this.#end()
    this.#core.workers.add(this)
    this.#options.signal?.addEventListener('abort', end)
    if (this.#options.signal?.aborted) end()
    this.#ended = this.#loop().finally(() => {
      this.#core.workers.delete(this)
      this.#options.signal?.removeEventListener('abort', end)
    })
    // Whoever drains must not see the failure, which belongs to who has called `run`.
    this.#ended.catch(() => {})
    await this.#ended
  }

  /** As Worker has it. Without partitions the run ends. */
  async drain(partitions?: readonly TopicPartition[]): Promise<void> {
    if (partitions === undefined) {
      this.#end()
      await this.#ended.catch(() => {})
      return
    }
    const names = new Set(partitions.map(partitionName))
    this.#ready = this.#ready.filter((batch) => {
      if (!names.has(batch.state.name)) return true
      this.#leave(batch)
      return false
    })
    const concerned = [...this.#jobs].filter(({ batch }) => names.has(batch.state.name))
    for (const job of concerned) job.isStopped = true
    this.#endWaits()
    await Promise.all(concerned.map(({ done }) => done))
  }

  async #loop(): Promise<void> {
    try {
      while (!this.#isEnding) {
        while (this.#ready.length > 0 && this.#jobs.size < this.#concurrency) this.#start()
        const isFull = this.#jobs.size >= this.#concurrency
        const batches = await this.#core.next({
          ...(isFull ? { maxRecords: 0 } : {}),
          until: () => this.#isEnding || (isFull && this.#jobs.size < this.#concurrency),
          isAlive: () => this.#isAlive(),
        })
        for (const batch of batches) batch.state.isBusy = true
        this.#ready.push(...batches)
      }
    } catch (error) {
      if (!(error instanceof ClosedError && this.#core.isStopped)) this.#failure ??= { error }
    } finally {
      this.#end()
      for (const batch of this.#ready.splice(0)) this.#leave(batch)
      await Promise.all([...this.#jobs].map(({ done }) => done))
    }
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #start(): void {
    const batch = this.#ready.shift()!
    const { promise: done, resolve } = Promise.withResolvers<void>()
    const job: Job<Key, Value> = { batch, isStopped: batch.isStale, sinceMs: this.#nowMs, done }
    this.#jobs.add(job)
    void this.#work(job)
      .catch((error) => {
        this.#failure ??= { error }
        this.#end()
      })
      .then(() => {
        this.#jobs.delete(job)
        this.#leave(batch)
        resolve()
        this.#core.latch.ring()
      })
  }

  async #work(job: Job<Key, Value>): Promise<void> {
    const { batch } = job
    const { eachRecord, eachBatch } = this.#options
    if (eachBatch !== undefined) {
      const [first] = batch.records
      const isDone = first === undefined || this.#attempt(job, () => eachBatch(batch), first)
      if (!(isDone === true || (await isDone))) return
    } else {
      for (const record of batch.records) {
        if (job.isStopped || batch.isStale) return
        // What the callback sends belongs to the trace of the record.
        const call = () => runInTraceOf(this.#trace, record, eachRecord)
        const isDone = this.#attempt(job, call, record)
        if (!(isDone === true || (await isDone))) return
        batch.consumed(record)
      }
    }
    batch.consumedAll()
  }

  /**
   * Whether the callback has come to an end that counts. True at once for one that does not wait,
   * so that it costs no turn of the promise queue.
   */
  #attempt(
    job: Job<Key, Value>,
    call: () => unknown,
    record: ConsumerRecord<Key, Value>,
  ): true | Promise<boolean> {
    try {
      const result = call()
      if (!isThenable(result)) return true
      job.sinceMs = this.#nowMs
      return this.#awaited(job, result, call, record)
    } catch (error) {
      return this.#awaited(job, Promise.reject(error), call, record)
    }
  }

  async #awaited(
    job: Job<Key, Value>,
    first: PromiseLike<unknown>,
    call: () => unknown,
    record: ConsumerRecord<Key, Value>,
  ): Promise<boolean> {
    const { onError } = this.#options
    let result: unknown = first
    for (let failures = 0; ; failures++) {
      try {
        await result
        return true
      } catch (error) {
        const decision = onError === undefined ? 'stop' : await onError(error, record)
        if (decision === 'skip') return true
        if (decision !== 'retry') throw error
        await this.#pause(this.#core.cluster.backoff.delayMs(failures))
      }
      if (job.isStopped || job.batch.isStale) return false
      job.sinceMs = this.#nowMs
      result = (async () => await call())()
    }
  }

  /** The batch is out of hand: what is not consumed of it is delivered again. */
  #leave(batch: PartitionBatch<Key, Value>): void {
    batch.state.isBusy = false
    batch.giveBack()
  }

  #end(): void {
    this.#isEnding = true
    for (const job of this.#jobs) job.isStopped = true
    this.#endWaits()
    this.#core.latch.ring()
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel()
        this.#waits.delete(end)
        resolve()
      }
      const timer: Timer = this.#core.environment.clock.schedule(delayMs, end)
      this.#waits.add(end)
    })
  }

  #endWaits(): void {
    for (const end of [...this.#waits]) end()
  }

  /** A callback that takes longer than `max.poll.interval.ms` counts as stuck. */
  #isAlive(): boolean {
    const nowMs = this.#nowMs
    return [...this.#jobs].every(({ sinceMs }) => nowMs - sinceMs < this.#maxPollIntervalMs)
  }

  get #nowMs(): number {
    return this.#core.environment.clock.monotonic()
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}
