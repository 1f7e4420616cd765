/**
 * A coordinator runtime with one partition in memory and a clock that only moves when told to:
 * shards run as they do in a broker, and can be restarted, refused and kept waiting.
 */

import { SimulatedClock } from '../../../sim/simulated-clock.ts'
import { KafkaError } from '../../../src/common/errors.ts'
import { silentLogger } from '../../../src/common/logger.ts'
import type { CoordinatorRecordCodec } from '../../../src/coordinator/runtime/coordinator-record.ts'
import { CoordinatorRuntime } from '../../../src/coordinator/runtime/coordinator-runtime.ts'
import type {
  CoordinatorResult,
  CoordinatorShard,
  ShardContext,
  TransactionalProducer,
} from '../../../src/coordinator/runtime/coordinator-shard.ts'
import type {
  CoordinatorStorage,
  StagedAppend,
} from '../../../src/coordinator/runtime/coordinator-storage.ts'
import { writeInt64 } from '../../../src/protocol/records/record-batch.ts'
import { RecordReader } from '../../../src/protocol/records/record-reader.ts'

const PARTITION = 0

export class CoordinatorHarness<S extends CoordinatorShard> {
  readonly clock = new SimulatedClock()
  readonly storage = new MemoryStorage()
  readonly #codec: CoordinatorRecordCodec
  readonly #createShard: (context: ShardContext) => S
  #runtime: CoordinatorRuntime<S>

  private constructor(codec: CoordinatorRecordCodec, createShard: (context: ShardContext) => S) {
    this.#codec = codec
    this.#createShard = createShard
    this.#runtime = this.#newRuntime()
  }

  static async start<S extends CoordinatorShard>(
    codec: CoordinatorRecordCodec,
    createShard: (context: ShardContext) => S,
  ): Promise<CoordinatorHarness<S>> {
    const harness = new CoordinatorHarness(codec, createShard)
    await harness.#runtime.load(PARTITION)
    return harness
  }

  get runtime(): CoordinatorRuntime<S> {
    return this.#runtime
  }

  /** Loses everything that is not in the log, and loads that. */
  async restart(): Promise<void> {
    this.#runtime.unloadAll()
    await settled()
    this.#runtime = this.#newRuntime()
    await this.#runtime.load(PARTITION)
  }

  write<R>(operation: (shard: S) => CoordinatorResult<R>): Promise<R> {
    return this.#runtime.write(PARTITION, operation)
  }

  writeTransactional<R>(
    producer: TransactionalProducer,
    operation: (shard: S) => CoordinatorResult<R>,
  ): Promise<R> {
    return this.#runtime.writeTransactional(PARTITION, producer, operation)
  }

  endTransaction(producer: TransactionalProducer, isCommit: boolean): Promise<void> {
    return this.#runtime.endTransaction(PARTITION, { ...producer, coordinatorEpoch: 0 }, isCommit)
  }

  read<R>(operation: (shard: S) => R): Promise<R> {
    return this.#runtime.read(PARTITION, operation)
  }

  /** Lets `ms` milliseconds pass, with all that falls due meanwhile. */
  async advance(ms: number): Promise<void> {
    const end = this.clock.monotonic() + ms
    // So that time gets there though nothing else be due.
    this.clock.schedule(ms, () => {})
    while ((this.clock.nextCallMs ?? Number.POSITIVE_INFINITY) <= end) {
      this.clock.step()
      await settled()
    }
  }

  #newRuntime(): CoordinatorRuntime<S> {
    const { clock, storage } = this
    const [codec, createShard] = [this.#codec, this.#createShard]
    return new CoordinatorRuntime({
      topic: 'test',
      codec,
      clock,
      log: silentLogger,
      storage,
      createShard,
    })
  }
}

/** A log of batches. */
export class MemoryStorage implements CoordinatorStorage {
  readonly batches: Buffer[] = []
  #endOffset = 0
  #refusal: KafkaError | undefined
  #held: (() => void)[] | undefined

  get endOffset(): number {
    return this.#endOffset
  }

  /** The next append is refused with this error. */
  refuseNext(error: ConstructorParameters<typeof KafkaError>[0]): void {
    this.#refusal = new KafkaError(error)
  }

  /** Appends are not committed until `release`. */
  hold(): void {
    this.#held = []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const commit of held) commit()
  }

  append(_topic: string, _partition: number, batch: Buffer): StagedAppend {
    if (this.#refusal !== undefined) {
      const refusal = this.#refusal
      this.#refusal = undefined
      throw refusal
    }
    const baseOffset = this.#endOffset
    writeInt64(batch, 0, baseOffset)
    this.#endOffset += new RecordReader(batch).batch.recordCount
    this.batches.push(batch)
    const held = this.#held
    const committed =
      held === undefined
        ? Promise.resolve()
        : new Promise<void>((resolve) => {
            held.push(resolve)
          })
    return { baseOffset, committed }
  }

  async *read(): AsyncIterable<readonly Buffer[]> {
    for (const batch of [...this.batches]) yield [batch]
  }
}

/** Resolves when everything that waits for nothing but its turn has had it. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
