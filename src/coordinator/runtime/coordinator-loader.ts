/** Rebuilds a shard from its partition: every record of the log is replayed, in order. */
import { KafkaError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import { BatchIterator } from '../../protocol/records/batch-iterator.ts'
import { readEndTransactionMarker } from '../../protocol/records/control-record.ts'
import {
  CONTROL_MASK,
  type RecordBatchHeader,
  TRANSACTIONAL_MASK,
} from '../../protocol/records/record-batch.ts'
import { RecordReader } from '../../protocol/records/record-reader.ts'
import type { CoordinatorRecordCodec } from './coordinator-record.ts'
import type { CoordinatorShard, TransactionalProducer } from './coordinator-shard.ts'

export class CoordinatorLoader {
  readonly #shard: CoordinatorShard
  readonly #codec: CoordinatorRecordCodec
  readonly #log: Logger
  #replayed = 0

  constructor(shard: CoordinatorShard, codec: CoordinatorRecordCodec, log: Logger) {
    this.#shard = shard
    this.#codec = codec
    this.#log = log
  }

  /** How many records have been replayed. */
  get replayedRecords(): number {
    return this.#replayed
  }

  /** Replays the whole batches in `chunk`. */
  replay(chunk: Buffer): void {
    const batches = new BatchIterator(chunk)
    while (batches.next()) {
      const records = new RecordReader(chunk, batches.position)
      if ((records.batch.attributes & CONTROL_MASK) !== 0) this.#replayMarker(records)
      else this.#replayBatch(records)
    }
  }

  #replayMarker(records: RecordReader): void {
    while (records.next()) {
      const marker = readEndTransactionMarker(records.key(), records.value())
      if (marker === undefined) continue
      this.#shard.replayEndOfTransaction(producerOf(records.batch), marker.commit)
    }
  }

  #replayBatch(records: RecordReader): void {
    const isTransactional = (records.batch.attributes & TRANSACTIONAL_MASK) !== 0
    const producer = isTransactional ? producerOf(records.batch) : undefined
    while (records.next()) {
      const key = records.key()
      if (key === null) continue
      const record = this.#decode(key, records.value(), records.offset)
      if (record === undefined) continue
      this.#shard.replay(record, records.offset, producer)
      this.#replayed += 1
    }
  }

  #decode(key: Buffer, value: Buffer | null, offset: number) {
    try {
      return this.#codec.decode(key, value)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#log.warn(`the coordinator record at offset ${offset} cannot be read`, error)
      return undefined
    }
  }
}

function producerOf({ producerId, producerEpoch }: RecordBatchHeader): TransactionalProducer {
  return { producerId, producerEpoch }
}
