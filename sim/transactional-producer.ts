/**
 * A transactional producer that lives on over crashes of the broker, and is killed itself at times:
 * then it begins anew with InitProducerId and never learns what became of its last transaction. It
 * does as Kafka's own producer: what was not answered is sent again under the same sequence, and
 * a transaction is committed only when everything in it has been acknowledged.
 */
import { type Clock, sleep } from '../src/common/clock.ts'
import { ErrorCode, errorName } from '../src/common/errors.ts'
import { buildRecordBatch } from '../src/protocol/records/record-batch-writer.ts'
import { type CoordinatorClient, type OffsetKey, TRANSACTION } from './coordinator-client.ts'
import { type Actor, type GuestTopic, RETRIABLE } from './guest.ts'
import { Violation } from './partition-model.ts'
import type { SeededRandom } from './seeded-random.ts'
import { RequestFailure } from './simulated-client.ts'
import type { Transaction, TransactionModel } from './transaction-model.ts'
import { actUntilOver, allSettled, type Life } from './workload.ts'

export interface TransactionalProducerOptions {
  readonly transactionalId: string
  readonly timeoutMs: number
  readonly topic: GuestTopic
  readonly model: TransactionModel
  /** Where it commits offsets in its transactions. */
  readonly offsetKey: OffsetKey
  readonly client: CoordinatorClient
  readonly clock: Clock
  readonly random: SeededRandom
}

/** The producer since its last InitProducerId. */
interface Session {
  readonly isVersion2: boolean
  producerId: number
  producerEpoch: number
  readonly sequences: Map<number, number>
  /** Somebody else may have fenced it: an InitProducerId of unknown outcome, or a broken disk. */
  mayBeFenced: boolean
}

/** The transaction under way. */
interface Course {
  readonly transaction: Transaction
  readonly beganMs: number
  readonly addedPartitions: Set<number>
  readonly unacknowledged: Map<number, Batch>
  /** Something is certainly in it, so that it can be ended. */
  hasBegun: boolean
  offset: 'none' | 'sent' | 'acknowledged'
  /** How it was asked to end, and how often. */
  ending: 'commit' | 'abort' | undefined
  endsSent: number
}

interface Batch {
  readonly partition: number
  readonly ids: readonly string[]
  readonly records: Buffer
}

/** What a producer hears that has been fenced, or whose transaction has timed out. */
const FENCED: ReadonlySet<number> = new Set([
  ErrorCode.PRODUCER_FENCED,
  ErrorCode.INVALID_PRODUCER_EPOCH,
  ErrorCode.INVALID_PRODUCER_ID_MAPPING,
  ErrorCode.INVALID_TXN_STATE,
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ErrorCode.TRANSACTION_ABORTABLE,
  ErrorCode.UNKNOWN_PRODUCER_ID,
])
/** More refusals of a kind that passes than this in a row are no passing matter. */
const MAX_RETRIES = 300
const RETRY_MS = 50

/** The transaction cannot go on; the producer begins anew. */
class Fenced extends Error {}

export class TransactionalProducer implements Actor {
  readonly #options: TransactionalProducerOptions
  #session: Session | undefined
  #course: Course | undefined
  #life: Life | undefined
  #nextTransaction = 0
  #retries = 0
  #hasLost = false
  /** The life in which an InitProducerId was not answered: it may be carried out later. */
  #unansweredInit: Life | undefined

  constructor(options: TransactionalProducerOptions) {
    this.#options = options
  }

  run(life: Life): Promise<void> {
    this.#life = life
    this.#retries = 0
    return actUntilOver(life, this.#options, () => this.#act(life))
  }

  /** The broker may know less of the producer, or more, than the producer does. */
  expectFencing(): void {
    if (this.#session !== undefined) this.#session.mayBeFenced = true
  }

  /** Partitions may know newer epochs than the coordinator, which has forgotten some. */
  expectLoss(): void {
    this.#hasLost = true
  }

  async #act(life: Life): Promise<void> {
    const { random, topic, client } = this.#options
    if (!(await topic.ensure(client, life))) return
    if (random.chance(0.05)) this.#die()
    try {
      const session = this.#session ?? (await this.#initialize(life))
      if (session === undefined) return
      this.#course ??= this.#begin()
      for (let count = random.between(1, 3); count > 0 && !life.isOver; count--) {
        if (this.#course === undefined) return
        await this.#goOn(session, this.#course)
      }
    } catch (error) {
      if (!(error instanceof Fenced)) throw error
      this.#forget()
    }
  }

  /** The process is killed, perhaps with requests on their way that the broker will yet see. */
  #die(): void {
    const session = this.#session
    const course = this.#course
    if (session !== undefined && course?.ending === undefined && course !== undefined) {
      this.#build(session, course)
      // Nobody is there to hear the answers.
      this.#sendAll(session, course).catch(() => {})
    }
    this.#forget()
  }

  #forget(): void {
    this.#session = undefined
    this.#course = undefined
  }

  async #initialize(life: Life): Promise<Session | undefined> {
    const { client, transactionalId, timeoutMs, random } = this.#options
    if (!(await this.#succeeded(await client.findCoordinator(TRANSACTION, transactionalId)))) {
      return undefined
    }
    let answer: Awaited<ReturnType<CoordinatorClient['initProducer']>>
    try {
      answer = await client.initProducer(transactionalId, timeoutMs)
    } catch (error) {
      if (error instanceof RequestFailure) this.#unansweredInit = life
      throw error
    }
    if (!(await this.#succeeded(answer.errorCode))) return undefined
    const { producerId, producerEpoch } = answer
    const mayBeFenced = this.#unansweredInit === life
    const isVersion2 = random.chance(0.5)
    const sequences = new Map<number, number>()
    this.#session = { isVersion2, producerId, producerEpoch, sequences, mayBeFenced }
    return this.#session
  }

  #begin(): Course {
    const { model, transactionalId, clock } = this.#options
    const name = `${transactionalId}-${this.#nextTransaction++}`
    return {
      transaction: model.begin(name, transactionalId),
      beganMs: clock.monotonic(),
      addedPartitions: new Set(),
      unacknowledged: new Map(),
      hasBegun: false,
      offset: 'none',
      ending: undefined,
      endsSent: 0,
    }
  }

  /** Does one thing more for the transaction. */
  async #goOn(session: Session, course: Course): Promise<void> {
    const { random } = this.#options
    if (course.ending !== undefined) return await this.#end(session, course)
    if (random.chance(0.1) && course.hasBegun) {
      course.ending = 'abort'
      return await this.#end(session, course)
    }
    if (course.unacknowledged.size > 0) return await this.#sendAll(session, course)
    if (course.offset === 'sent') return await this.#commitOffset(session, course)
    const draw = random.fraction()
    if (draw < 0.4 || !course.hasBegun) {
      for (let count = random.between(1, 2); count > 0; count--) this.#build(session, course)
      await this.#sendAll(session, course)
    } else if (draw < 0.6 && course.offset === 'none') await this.#commitOffset(session, course)
    else {
      course.ending = 'commit'
      await this.#end(session, course)
    }
  }

  /** A batch for one of the partitions that have no other on the way. */
  #build(session: Session, course: Course): void {
    const { model, topic, random, clock } = this.#options
    const partition = random.int(topic.partitions)
    if (course.unacknowledged.has(partition)) return
    const baseSequence = session.sequences.get(partition) ?? 0
    const ids = model.send(course.transaction, partition, random.between(1, 3))
    const timestamp = clock.now()
    const padding = random.pick([0, 50, 150])
    const records = ids.map((id) => {
      // The key is the id too, so that compaction keeps every record.
      return { timestamp, key: Buffer.from(id), value: Buffer.from(id.padEnd(padding, '.')) }
    })
    const { producerId, producerEpoch } = session
    const options = { producerId, producerEpoch, baseSequence, transactional: true }
    session.sequences.set(partition, baseSequence + ids.length)
    const batch = { partition, ids, records: buildRecordBatch(records, options) }
    course.unacknowledged.set(partition, batch)
  }

  async #sendAll(session: Session, course: Course): Promise<void> {
    await allSettled(
      [...course.unacknowledged.values()].map((it) => this.#send(session, course, it)),
    )
  }

  async #send(session: Session, course: Course, batch: Batch): Promise<void> {
    const { client, topic, transactionalId, model } = this.#options
    const { partition, ids } = batch
    const { isVersion2 } = session
    if (!isVersion2 && !course.addedPartitions.has(partition)) {
      const errorCode = await client.addPartition(this.#identity(session), topic.name, partition)
      if (!(await this.#succeeded(errorCode))) return
      course.addedPartitions.add(partition)
      course.hasBegun = true
    }
    // The network does not copy at once, and the broker writes into what it receives.
    const sent = { partition, records: Buffer.from(batch.records) }
    const { name } = topic
    const answer = await client.produceInTransaction(transactionalId, isVersion2, name, sent)
    if (!(await this.#succeeded(answer.errorCode))) return
    model.acknowledge(ids, answer.baseOffset)
    course.unacknowledged.delete(partition)
    course.hasBegun = true
  }

  async #commitOffset(session: Session, course: Course): Promise<void> {
    const { client, model, offsetKey } = this.#options
    const identity = this.#identity(session)
    if (!session.isVersion2 && course.offset === 'none') {
      if (!(await this.#succeeded(await client.addOffsets(identity, offsetKey.groupId)))) return
      course.hasBegun = true
    }
    const { transaction } = course
    const offset = transaction.offset ?? model.chooseOffset(transaction)
    course.offset = 'sent'
    const { isVersion2 } = session
    const code = await client.commitOffsetInTransaction(identity, isVersion2, offsetKey, offset)
    if (!(await this.#succeeded(code))) return
    course.offset = 'acknowledged'
    course.hasBegun = true
  }

  async #end(session: Session, course: Course): Promise<void> {
    const { client } = this.#options
    const { transaction } = course
    const isCommit = course.ending === 'commit'
    if (isCommit) transaction.mayCommit = true
    course.endsSent += 1
    const identity = this.#identity(session)
    const answer = await client.endTransaction(identity, session.isVersion2, isCommit)
    // The only request to commit it was refused.
    const isRefused = FENCED.has(answer.errorCode) && course.endsSent === 1
    if (isRefused && !this.#life!.hasFaults) transaction.aborted('and its end was refused')
    if (!(await this.#succeeded(answer.errorCode))) return
    if (isCommit) transaction.committed('but its commit was acknowledged')
    else transaction.aborted('but its abort was acknowledged')
    // What is still on its way could get into the next transaction.
    if (course.unacknowledged.size > 0 || course.offset === 'sent') return this.#forget()
    this.#course = undefined
    if (!session.isVersion2) return
    session.producerId = answer.producerId
    session.producerEpoch = answer.producerEpoch
    session.sequences.clear()
  }

  #identity({ producerId, producerEpoch }: Session) {
    return { transactionalId: this.#options.transactionalId, producerId, producerEpoch }
  }

  /**
   * True where the request has succeeded, false where it is to be sent again. Throws Fenced where
   * the producer must begin anew, and a Violation where none of that may be.
   */
  async #succeeded(errorCode: number): Promise<boolean> {
    const { clock, timeoutMs, transactionalId } = this.#options
    const life = this.#life!
    if (errorCode === ErrorCode.NONE) {
      this.#retries = 0
      return true
    }
    if (life.hasFaults) this.expectFencing()
    if (RETRIABLE.has(errorCode) && (life.hasFaults || this.#retries < MAX_RETRIES)) {
      this.#retries += 1
      if (!life.isOver) await sleep(clock, RETRY_MS)
      return false
    }
    if (life.hasFaults) throw new Fenced()
    const beganMs = this.#course?.beganMs ?? clock.monotonic()
    const isExpected = this.#hasLost || this.#session?.mayBeFenced === true
    const mayBe = isExpected || beganMs + timeoutMs <= clock.monotonic()
    if (FENCED.has(errorCode) && mayBe) throw new Fenced()
    const what = this.#course?.transaction.name ?? 'without a transaction'
    throw new Violation(`${transactionalId}, ${what}: ${errorName(errorCode)}`)
  }
}
