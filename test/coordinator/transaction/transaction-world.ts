/**
 * A transaction coordinator with the world around it: producers that come and go, partitions that
 * take their records and markers, and a log that may refuse. It checks, as it goes and in the end,
 * what transactions promise:
 *
 *  - a transaction whose commit was confirmed ends with a commit marker on each of its partitions,
 *    one that nobody asked to commit with aborts, and any other with the same on all of them;
 *  - no two producers ever have the same id and epoch, and one that is fenced gets nothing done;
 *  - a restart changes nothing that was told.
 */
import assert from 'node:assert/strict'
import { KafkaError } from '../../../src/common/errors.ts'
import type { CoordinatorResult } from '../../../src/coordinator/runtime/coordinator-shard.ts'
import type {
  MarkerOutcome,
  TransactionMarkers,
} from '../../../src/coordinator/transaction/marker-channel.ts'
import type { TopicPartition } from '../../../src/coordinator/transaction/topic-partition-set.ts'
import { recordOf } from '../../../src/coordinator/transaction/transaction-metadata.ts'
import { transactionRecordCodec } from '../../../src/coordinator/transaction/transaction-records.ts'
import { TransactionShard } from '../../../src/coordinator/transaction/transaction-shard.ts'
import { CoordinatorHarness, settled } from '../support/coordinator-harness.ts'

export const TIMEOUT_MS = 1000
export const EXPIRATION_MS = 100_000
const CHECK_MS = 100

interface Transaction {
  readonly partitions: Set<number>
  /** Its producer has asked for it, whatever the answer. */
  mayCommit: boolean
  /** What its producer was told. */
  confirmed: 'commit' | 'abort' | undefined
}

/** One instance of a producer. */
export interface Instance {
  readonly transactionalId: string
  readonly version: 1 | 2
  producerId: number
  producerEpoch: number
  isFenced: boolean
  transaction: Transaction | undefined
  /** The last EndTxn, which may be sent again. */
  lastEnd: { producerId: number; producerEpoch: number; isCommit: boolean } | undefined
}

/** What a partition knows of a producer. */
interface PartitionProducer {
  epoch: number
  open: Transaction | undefined
}

export class TransactionWorld {
  readonly harness: CoordinatorHarness<TransactionShard>
  readonly instances: Instance[] = []
  readonly #transactions: Transaction[] = []
  readonly #outcomes = new Map<Transaction, ('commit' | 'abort')[]>()
  readonly #owners = new Map<string, Instance>()
  readonly #partitions = new Map<string, PartitionProducer>()
  #markers: TransactionMarkers[] = []
  #nextProducerId = 1000

  private constructor(harness: CoordinatorHarness<TransactionShard>) {
    this.harness = harness
  }

  static async start(): Promise<TransactionWorld> {
    const sent: { world?: TransactionWorld } = {}
    const harness = await CoordinatorHarness.start(transactionRecordCodec, (context) => {
      return new TransactionShard({
        context,
        config: {
          maxTimeoutMs: () => 60_000,
          expirationMs: () => EXPIRATION_MS,
          abortTimedOutIntervalMs: () => CHECK_MS,
          removeExpiredIntervalMs: () => CHECK_MS,
        },
        sendMarkers: (markers) => sent.world!.#markers.push(markers),
      })
    })
    sent.world = new TransactionWorld(harness)
    return sent.world
  }

  /** Makes a transactional id whose producer has come to some epoch. */
  async seed(transactionalId: string, producerEpoch: number): Promise<void> {
    await this.init(transactionalId, 1)
    const known = await this.harness.read((shard) => shard.describe(transactionalId))
    const records = [recordOf({ ...known, producerEpoch })]
    await this.harness.write(() => ({ records, response: undefined }))
  }

  readonly newProducerId = () => this.#nextProducerId++

  async init(transactionalId: string, version: 1 | 2): Promise<string> {
    const request = { transactionalId, timeoutMs: TIMEOUT_MS, expected: undefined }
    const response = await this.#attempt((shard) =>
      shard.initializeProducer(request, this.newProducerId),
    )
    if (response instanceof KafkaError) return response.errorName
    for (const instance of this.instances) {
      if (instance.transactionalId === transactionalId) instance.isFenced = true
    }
    const transaction = undefined
    const instance: Instance = {
      ...{ transactionalId, version, ...response, isFenced: false, transaction },
      lastEnd: undefined,
    }
    this.instances.push(instance)
    this.#own(instance)
    return 'NONE'
  }

  /** Adds a partition and writes to it. */
  async write(instance: Instance, partitionIndex: number): Promise<string> {
    const { transactionalId, producerId, producerEpoch, version } = instance
    const partitions = [{ topic: 't', partitionIndex }]
    const clientTransactionVersion = version === 2 ? 2 : 0
    const request = { transactionalId, producerId, producerEpoch, partitions }
    const response = await this.#attempt((shard) =>
      shard.addPartitions({ ...request, clientTransactionVersion }),
    )
    if (response instanceof KafkaError) return response.errorName
    assert.ok(!instance.isFenced, 'a fenced producer has added a partition')
    instance.transaction ??= this.#newTransaction()
    const known = this.#partitionProducer(partitions[0]!, producerId)
    assert.ok(known.epoch <= producerEpoch, 'the partition has seen a newer epoch')
    assert.ok(known.open === undefined || known.open === instance.transaction)
    known.epoch = producerEpoch
    known.open = instance.transaction
    instance.transaction.partitions.add(partitionIndex)
    return 'NONE'
  }

  async end(instance: Instance, isCommit: boolean): Promise<string> {
    const { transactionalId, producerId, producerEpoch, transaction } = instance
    instance.lastEnd = { producerId, producerEpoch, isCommit }
    if (transaction !== undefined && isCommit) transaction.mayCommit = true
    const clientTransactionVersion = instance.version === 2 ? 2 : 0
    const request = { transactionalId, producerId, producerEpoch, isCommit }
    const response = await this.#attempt((shard) =>
      shard.endTransaction({ ...request, clientTransactionVersion }, this.newProducerId),
    )
    if (response instanceof KafkaError) return response.errorName
    assert.ok(!instance.isFenced, 'a fenced producer has ended a transaction')
    if (transaction !== undefined) transaction.confirmed = isCommit ? 'commit' : 'abort'
    instance.transaction = undefined
    if (instance.version === 2) this.#become(instance, response)
    return 'NONE'
  }

  /** Sends the last EndTxn again, as a client does whose connection broke: it must agree. */
  async endAgain(instance: Instance): Promise<string> {
    const { transactionalId, version, lastEnd } = instance
    if (lastEnd === undefined) return 'NONE'
    const clientTransactionVersion = version === 2 ? 2 : 0
    const request = { transactionalId, ...lastEnd, clientTransactionVersion }
    const before = await this.#describe(transactionalId)
    if (before?.state === 'Ongoing') return 'NONE'
    const response = await this.#attempt((shard) =>
      shard.endTransaction(request, this.newProducerId),
    )
    if (response instanceof KafkaError) return response.errorName
    const { transaction } = instance
    if (transaction !== undefined) transaction.confirmed = lastEnd.isCommit ? 'commit' : 'abort'
    instance.transaction = undefined
    if (version === 2 && !instance.isFenced) this.#become(instance, response)
    return 'NONE'
  }

  /** Lets the markers that are on their way arrive, or fail; `some`: every other partition's. */
  async deliver(which: 'all' | 'some' | 'none'): Promise<void> {
    const markers = this.#markers
    this.#markers = []
    for (const marker of markers) {
      const outcomes = marker.partitions.map((partition, i): MarkerOutcome => {
        if (which === 'none' || (which === 'some' && i % 2 === 0)) return 'retry'
        this.#mark(partition, marker)
        return 'settled'
      })
      await this.#attempt((shard) => shard.onMarkersWritten(marker, outcomes))
    }
  }

  /** The coordinator is killed; markers that it has sent may still arrive, unheard of. */
  async restart(markersArrive: boolean): Promise<void> {
    const before = await this.#describeAll()
    if (markersArrive) {
      for (const marker of this.#markers) {
        for (const partition of marker.partitions) this.#mark(partition, marker)
      }
    }
    this.#markers = []
    await this.harness.restart()
    assert.deepEqual(await this.#describeAll(), before)
  }

  /** Lets everything come to its end, and checks it. */
  async finish(): Promise<void> {
    for (let i = 0; i < 40; i++) {
      await this.harness.advance(CHECK_MS)
      await this.deliver('all')
    }
    for (const { state } of await this.#describeAll()) {
      assert.ok(state !== 'Ongoing' && !state.startsWith('Prepare'), `a transaction is ${state}`)
    }
    for (const transaction of this.#transactions) this.#checkOutcome(transaction)
  }

  #checkOutcome(transaction: Transaction): void {
    const outcomes = this.#outcomes.get(transaction) ?? []
    assert.equal(outcomes.length, transaction.partitions.size, 'one end on each partition')
    assert.equal(new Set(outcomes).size, 1, 'the same end on all partitions')
    const [outcome] = outcomes
    if (transaction.confirmed !== undefined) assert.equal(outcome, transaction.confirmed)
    else if (!transaction.mayCommit) assert.equal(outcome, 'abort')
  }

  #mark(partition: TopicPartition, marker: TransactionMarkers): void {
    const known = this.#partitionProducer(partition, marker.producerId)
    assert.ok(marker.producerEpoch >= known.epoch, 'a marker of an old epoch')
    known.epoch = marker.producerEpoch
    if (known.open === undefined) return
    const outcomes = this.#outcomes.get(known.open) ?? []
    outcomes.push(marker.isCommit ? 'commit' : 'abort')
    this.#outcomes.set(known.open, outcomes)
    known.open = undefined
  }

  #newTransaction(): Transaction {
    const partitions = new Set<number>()
    const transaction: Transaction = { partitions, mayCommit: false, confirmed: undefined }
    this.#transactions.push(transaction)
    return transaction
  }

  #partitionProducer(partition: TopicPartition, producerId: number): PartitionProducer {
    const key = `${partition.partitionIndex}/${producerId}`
    const known = this.#partitions.get(key) ?? { epoch: -1, open: undefined }
    this.#partitions.set(key, known)
    return known
  }

  #become(instance: Instance, producer: { producerId: number; producerEpoch: number }): void {
    instance.producerId = producer.producerId
    instance.producerEpoch = producer.producerEpoch
    this.#own(instance)
  }

  #own(instance: Instance): void {
    assert.ok(instance.producerEpoch < 0x7fff, 'the last epoch is for fencing')
    const key = `${instance.producerId}/${instance.producerEpoch}`
    const owner = this.#owners.get(key)
    assert.ok(owner === undefined || owner === instance, `two producers have been given ${key}`)
    this.#owners.set(key, instance)
  }

  async #describe(transactionalId: string) {
    return await this.harness.read((shard) => shard.get(transactionalId))
  }

  async #describeAll() {
    const all = { producerIds: [], states: [], durationMs: -1 }
    const found = await this.harness.read((shard) => shard.list(all))
    return found
      .map((transaction) => ({ ...transaction, partitions: [...transaction.partitions] }))
      .sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1))
  }

  async #attempt<R>(
    operation: (shard: TransactionShard) => CoordinatorResult<R>,
  ): Promise<R | KafkaError> {
    try {
      const response = await this.harness.write(operation)
      await settled()
      return response
    } catch (error) {
      if (error instanceof KafkaError) return error
      throw error
    }
  }
}
