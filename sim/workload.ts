/**
 * What the clients do while the broker is up: produce, read, and administer. Each actor goes on
 * until the life is over; requests that fail because the network or the broker went away leave what
 * they asked for in doubt, and the actor goes on to the next.
 */

import type { Clock } from '../src/common/clock.ts'
import { sleep } from '../src/common/clock.ts'
import { ErrorCode, errorName } from '../src/common/errors.ts'
import { CRC_AT, RECORD_BATCH_HEADER_SIZE } from '../src/protocol/records/record-batch.ts'
import { buildRecordBatch } from '../src/protocol/records/record-batch-writer.ts'
import type { BrokerClient, Target } from './broker-client.ts'
import { PartitionModel, type SentBatch, Violation } from './partition-model.ts'
import type { SeededRandom } from './seeded-random.ts'
import { RequestFailure } from './simulated-client.ts'
import type { Incarnation, TopicModel } from './topic-model.ts'

/** The broker from one start to the stop or crash that follows. */
export interface Life {
  /** Nobody begins anything any more. */
  isOver: boolean
  /** The disk fails or is full: storage errors are to be expected. */
  readonly hasFaults: boolean
  /** How long an actor usually waits between two actions. */
  readonly pauseMs: number
}

export interface ActorOptions {
  readonly clock: Clock
  readonly random: SeededRandom
  readonly client: BrokerClient
  readonly topics: readonly TopicModel[]
}

/** A batch on its way, with the sequence that it keeps however often it is sent. */
interface OutgoingBatch {
  readonly sent: SentBatch
  readonly records: Buffer
  /** In the partition it is for. */
  readonly incarnation: Incarnation
  readonly index: number
}

/** More than a record takes besides its value. */
const MAX_RECORD_OVERHEAD = 30
const COMPRESSIONS = ['none', 'none', 'none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const SEQUENCE_ERRORS: readonly number[] = [
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ErrorCode.UNKNOWN_PRODUCER_ID,
  ErrorCode.INVALID_PRODUCER_EPOCH,
]
/** A metadata store whose disk fails has no error code of its own. */
const DISK_ERRORS: readonly number[] = [
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.UNKNOWN_SERVER_ERROR,
  // Of a partition whose log could not be made.
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
]
const DELETION_ERRORS: readonly number[] = [
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.KAFKA_STORAGE_ERROR,
]

/** A topic that can be used now, and one of its partitions. */
function choosePartition(
  topics: readonly TopicModel[],
  random: SeededRandom,
): { target: Target; model: PartitionModel; incarnation: Incarnation } | undefined {
  const usable = topics.filter(({ usable: found }) => found !== undefined && !found.isBeingDeleted)
  if (usable.length === 0) return undefined
  const topic = random.pick(usable)
  const incarnation = topic.usable!
  const index = random.int(incarnation.partitions.length)
  const target = targetOf(topic, index, random)
  return { target, model: incarnation.partitions[index]!, incarnation }
}

function targetOf(topic: TopicModel, index: number, random: SeededRandom): Target {
  const byId = topic.isDeletable || random.chance(0.5)
  return { topic: topic.name, topicId: topic.usable!.topicId!, index, byId }
}

/** Throws unless `errorCode` may be. True where the request has succeeded. */
function succeeded(
  what: string,
  errorCode: number,
  life: Life,
  incarnation: Incarnation | undefined,
): boolean {
  if (errorCode === ErrorCode.NONE) return true
  if (life.hasFaults && DISK_ERRORS.includes(errorCode)) return false
  if (incarnation?.isBeingDeleted && DELETION_ERRORS.includes(errorCode)) return false
  throw new Violation(`${what}: ${errorName(errorCode)}`)
}

/** Repeats `act` with pauses until the life is over. */
export async function actUntilOver(
  life: Life,
  options: Pick<ActorOptions, 'clock' | 'random'> & { readonly client: { close(): void } },
  act: () => Promise<void>,
): Promise<void> {
  while (!life.isOver) {
    try {
      await act()
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error
    }
    await sleep(options.clock, 2 * options.random.fraction() * life.pauseMs)
  }
  options.client.close()
}

/** Produces to one partition at a time, several batches in flight. */
export class ProducerActor {
  readonly #name: string
  readonly #options: ActorOptions
  #nextBatch = 0

  constructor(name: string, options: ActorOptions) {
    this.#name = name
    this.#options = options
  }

  run(life: Life): Promise<void> {
    return actUntilOver(life, this.#options, () => this.#produce(life))
  }

  async #produce(life: Life): Promise<void> {
    const { random, topics, client } = this.#options
    const chosen = choosePartition(topics, random)
    if (chosen === undefined) return
    const { target, incarnation, model } = chosen
    const acks = random.pick([0, 1, -1] as const)
    if (random.chance(0.05)) return await this.#sendGarbage(target, model)
    const inFlight: Promise<void>[] = []
    for (let count = random.between(1, 4); count > 0; count--) {
      const { sent, records } = this.#build(model)
      if (acks === 0) {
        inFlight.push(client.produceWithoutAnswer(target, records))
        continue
      }
      const answer = client.produce(target, acks, records)
      inFlight.push(answer.then((found) => this.#note(sent, found, life, incarnation, model)))
    }
    await allSettled(inFlight)
  }

  /** A batch with a wrong bit, which must be refused, and never be seen. */
  async #sendGarbage(target: Target, model: PartitionModel): Promise<void> {
    const { random, client } = this.#options
    const records = Buffer.from(this.#build(model).records)
    const at = random.between(CRC_AT, records.length - 1)
    records[at]! ^= 1 << random.int(8)
    const { errorCode } = await client.produce(target, 1, records)
    if (errorCode === ErrorCode.NONE) {
      throw new Violation(`${model.name} took a batch with a wrong bit at ${at}`)
    }
  }

  #note(
    sent: SentBatch,
    answer: { errorCode: number; baseOffset: number },
    life: Life,
    incarnation: Incarnation,
    model: PartitionModel,
  ): void {
    if (!succeeded(`Produce of ${sent.name}`, answer.errorCode, life, incarnation)) return
    model.acknowledge(sent, answer.baseOffset, this.#options.clock.monotonic())
  }

  #build(model: PartitionModel): { sent: SentBatch; records: Buffer } {
    const name = `${this.#name}-${this.#nextBatch++}`
    return buildBatch(name, model, this.#options, {})
  }
}

/** A batch of random size and times whose records say which batch they are of. */
function buildBatch(
  name: string,
  model: PartitionModel,
  { clock, random }: ActorOptions,
  producer: { producerId?: number; producerEpoch?: number; baseSequence?: number },
): { sent: SentBatch; records: Buffer } {
  const most = random.chance(0.3) ? 20 : 1
  const records: { timestamp: number; value: Buffer }[] = []
  let room = model.maxBatchBytes - RECORD_BATCH_HEADER_SIZE
  while (records.length < most) {
    const padding = random.chance(0.1) ? random.int(3000) : random.int(200)
    const value = Buffer.from(`${name}/${records.length}`.padEnd(padding, '.'))
    room -= value.length + MAX_RECORD_OVERHEAD
    if (room < 0 && records.length > 0) break
    const bytes = room < 0 ? value.subarray(0, 100) : value
    records.push({ timestamp: clock.now() - random.int(random.pick([1, 1000])), value: bytes })
  }
  const bytes = buildRecordBatch(records, { compression: random.pick(COMPRESSIONS), ...producer })
  const timestamps = records.map(({ timestamp }) => timestamp)
  return { sent: model.register(name, bytes, timestamps), records: bytes }
}

/**
 * An idempotent producer. It lives on over crashes of the broker, and sends what was not answered
 * again: each batch must be in the log once. Only where records were lost may the broker find its
 * sequence broken.
 */
export class IdempotentProducerActor {
  readonly #name: string
  readonly #options: ActorOptions
  #identity: { producerId: number; producerEpoch: number } | undefined
  /** By partition; a topic that is created again begins anew. */
  readonly #sequences = new Map<PartitionModel, number>()
  #outgoing: OutgoingBatch[] = []
  #nextBatch = 0
  /** Something may have been lost since the producer got its id. */
  #mayBeBroken = false

  constructor(name: string, options: ActorOptions) {
    this.#name = name
    this.#options = options
  }

  /** The broker may have forgotten something: sequence errors are to be expected. */
  expectLoss(): void {
    this.#mayBeBroken = true
  }

  /**
   * The broker starts anew. A snapshot of producers, Kafka's as ours, has the last batch of each
   * and no more, so a repetition of an earlier one may not be recognised.
   */
  expectRestart(): void {
    if (this.#outgoing.length > 1) this.#mayBeBroken = true
  }

  run(life: Life): Promise<void> {
    return actUntilOver(life, this.#options, () => this.#act(life))
  }

  async #act(life: Life): Promise<void> {
    const { client, random, topics } = this.#options
    if (this.#identity === undefined) {
      const { errorCode, producerId, producerEpoch } = await client.initProducerId()
      if (!succeeded('InitProducerId', errorCode, life, undefined)) return
      this.#identity = { producerId, producerEpoch }
      this.#mayBeBroken = false
    }
    if (this.#outgoing.length === 0) {
      const chosen = choosePartition(topics, random)
      if (chosen === undefined) return
      const { incarnation, target } = chosen
      for (let count = random.between(1, 5); count > 0; count--) {
        this.#outgoing.push(this.#build(incarnation, target.index))
      }
    }
    await this.#send(life)
  }

  #build(incarnation: Incarnation, index: number): OutgoingBatch {
    const model = incarnation.partitions[index]!
    const baseSequence = this.#sequences.get(model) ?? 0
    const name = `${this.#name}-${this.#nextBatch++}`
    const identity = { ...this.#identity, baseSequence }
    const { sent, records } = buildBatch(name, model, this.#options, identity)
    this.#sequences.set(model, baseSequence + sent.timestamps.length)
    return { sent, records, incarnation, index }
  }

  /** Sends everything outgoing, in order. What is not answered stays for another time. */
  async #send(life: Life): Promise<void> {
    const { client, topics, random, clock } = this.#options
    const batches = this.#outgoing
    const { incarnation, index } = batches[0]!
    const topic = topics.find(({ usable }) => usable === incarnation)
    if (topic === undefined) {
      // It is being deleted, or gone.
      this.#outgoing = []
      return
    }
    const target = targetOf(topic, index, random)
    const model = incarnation.partitions[index]!
    const unanswered = new Set(batches)
    // All over one connection: a batch that overtakes the one before it breaks the sequence.
    const link = await client.connect()
    let isBroken = false
    const attempts = batches.map(async (batch) => {
      const records = Buffer.from(batch.records)
      const answer = await client.produce(target, random.pick([1, -1]), records, link)
      if (SEQUENCE_ERRORS.includes(answer.errorCode)) {
        this.#checkBreak(batch, answer.errorCode, life)
        isBroken = true
        return
      }
      if (!succeeded(`Produce of ${batch.sent.name}`, answer.errorCode, life, incarnation)) return
      unanswered.delete(batch)
      model.acknowledge(batch.sent, answer.baseOffset, clock.monotonic())
    })
    try {
      await allSettled(attempts)
    } finally {
      this.#outgoing = batches.filter((batch) => unanswered.has(batch))
    }
    if (isBroken) {
      this.#identity = undefined
      this.#outgoing = []
      this.#sequences.clear()
    }
  }

  #checkBreak(batch: OutgoingBatch, errorCode: number, life: Life): void {
    if (this.#mayBeBroken || life.hasFaults || batch.incarnation.isBeingDeleted) return
    const { hasRetention, maxLogStart } = batch.incarnation.partitions[batch.index]!
    if (hasRetention || maxLogStart > 0) return
    throw new Violation(`Produce of ${batch.sent.name}: ${errorName(errorCode)}`)
  }
}

/** Waits for all, then throws the first failure that is not a lost answer, or else that. */
export async function allSettled(promises: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(promises)
  const errors = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason as Error] : [],
  )
  const worst = errors.find((error) => !(error instanceof RequestFailure)) ?? errors[0]
  if (worst !== undefined) throw worst
}

/** Reads at random places, and at the tail. */
export class ConsumerActor {
  readonly #options: ActorOptions

  constructor(options: ActorOptions) {
    this.#options = options
  }

  run(life: Life): Promise<void> {
    return actUntilOver(life, this.#options, () => this.#read(life))
  }

  async #read(life: Life): Promise<void> {
    const { random, topics, client } = this.#options
    const chosen = choosePartition(topics, random)
    if (chosen === undefined) return
    const { target, incarnation, model } = chosen
    let offset = random.chance(0.4) ? model.readableEnd : random.int(model.readableEnd + 1)
    for (let fetches = random.between(1, 5); fetches > 0 && !life.isOver; fetches--) {
      const { errorCode, nextOffset } = await client.fetch(target, model, {
        offset,
        maxBytes: random.pick([1, 500, 5000, 1_000_000]),
        maxWaitMs: random.pick([0, 0, 20]),
      })
      if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
        if (offset >= model.maxLogStart && !model.hasRetention) {
          throw new Violation(`${model.name} has nothing at ${offset}`)
        }
        return
      }
      if (!succeeded(`Fetch of ${model.name}`, errorCode, life, incarnation)) return
      offset = nextOffset
    }
  }
}

/** Creates and deletes topics, changes their configuration, and deletes records. */
export class AdministratorActor {
  readonly #options: ActorOptions
  #nextValue = 1

  constructor(options: ActorOptions) {
    this.#options = options
  }

  run(life: Life): Promise<void> {
    return actUntilOver(life, this.#options, () => this.#act(life))
  }

  async #act(life: Life): Promise<void> {
    const { random, topics } = this.#options
    const topic = random.pick(topics)
    if (topic.inDoubt !== undefined) return
    const { incarnation } = topic
    if (incarnation === undefined) {
      if (random.chance(0.7)) await this.#create(topic, life)
      return
    }
    const draw = random.fraction()
    if (topic.isDeletable) {
      // A topic that is deleted while its log directory is offline, and created again in another,
      // leaves two logs of one name behind, between which the broker cannot tell yet.
      if (draw < 0.2 && !life.hasFaults) await this.#delete(topic, incarnation, life)
    } else if (draw < 0.3) await this.#configure(topic, incarnation, life)
    else if (draw < 0.5) await this.#deleteRecords(topic, incarnation, life)
  }

  async #create(topic: TopicModel, life: Life): Promise<void> {
    const { random, client } = this.#options
    const configs = chooseConfigs(random)
    const flush = {
      messages: Number(configs.get('flush.messages') ?? Number.POSITIVE_INFINITY),
      ms: Number(configs.get('flush.ms') ?? Number.POSITIVE_INFINITY),
    }
    const partitions = Array.from({ length: random.between(1, 3) }, (_, index) => {
      return new PartitionModel({
        name: `${topic.name}-${index}`,
        usesLogAppendTime: configs.get('message.timestamp.type') === 'LogAppendTime',
        hasRetention: configs.has('retention.bytes'),
        // A batch must fit into a segment.
        maxBatchBytes: Number(configs.get('internal.segment.bytes') ?? 100_000),
        flush,
      })
    })
    topic.incarnation = {
      topicId: undefined,
      partitions,
      configs,
      configInDoubt: undefined,
      isBeingDeleted: false,
    }
    topic.inDoubt = 'creation'
    const answer = await client.createTopic(topic.name, partitions.length, configs)
    if (!succeeded(`CreateTopics of ${topic.name}`, answer.errorCode, life, undefined)) return
    topic.incarnation.topicId = answer.topicId
    topic.inDoubt = undefined
  }

  async #delete(topic: TopicModel, incarnation: Incarnation, life: Life): Promise<void> {
    incarnation.isBeingDeleted = true
    topic.inDoubt = 'deletion'
    const errorCode = await this.#options.client.deleteTopic(incarnation.topicId!)
    if (!succeeded(`DeleteTopics of ${topic.name}`, errorCode, life, undefined)) return
    topic.incarnation = undefined
    topic.inDoubt = undefined
  }

  async #configure(topic: TopicModel, incarnation: Incarnation, life: Life): Promise<void> {
    if (incarnation.configInDoubt !== undefined) return
    const key = 'retention.ms'
    const value = String(1_000_000_000 + this.#nextValue++)
    incarnation.configInDoubt = { key, value }
    const errorCode = await this.#options.client.setConfig(topic.name, key, value)
    if (!succeeded(`AlterConfigs of ${topic.name}`, errorCode, life, incarnation)) return
    incarnation.configs.set(key, value)
    incarnation.configInDoubt = undefined
  }

  async #deleteRecords(topic: TopicModel, incarnation: Incarnation, life: Life): Promise<void> {
    const { random, client } = this.#options
    const index = random.int(incarnation.partitions.length)
    const model = incarnation.partitions[index]!
    if (model.readableEnd === 0) return
    const offset = random.between(0, model.readableEnd)
    model.maxLogStart = Math.max(model.maxLogStart, offset)
    const target = targetOf(topic, index, random)
    const { errorCode, lowWatermark } = await client.deleteRecords(target, offset)
    if (!succeeded(`DeleteRecords of ${model.name}`, errorCode, life, incarnation)) return
    if (lowWatermark < offset) throw new Violation(`${model.name} kept records below ${offset}`)
    model.minLogStart = Math.max(model.minLogStart, offset)
    model.checkLogStart(lowWatermark)
  }
}

/** Small segments and indexes, so that much happens at their borders; flushing of all kinds. */
function chooseConfigs(random: SeededRandom): Map<string, string> {
  const choices: [string, (string | undefined)[]][] = [
    ['internal.segment.bytes', ['600', '2000', '2000', '8000', undefined]],
    ['index.interval.bytes', ['0', '500', '4096']],
    ['segment.index.bytes', ['40', undefined]],
    ['segment.ms', ['500', undefined, undefined]],
    ['flush.messages', ['1', '1', '5', undefined]],
    ['flush.ms', ['100', '1000', undefined, undefined]],
    ['message.timestamp.type', ['LogAppendTime', undefined, undefined]],
    ['retention.bytes', ['3000', undefined, undefined, undefined]],
    ['file.delete.delay.ms', ['0', '100', '60000']],
    ['preallocate', ['true', undefined, undefined, undefined]],
  ]
  const configs = new Map<string, string>()
  for (const [key, values] of choices) {
    const value = random.pick(values)
    if (value !== undefined) configs.set(key, value)
  }
  // A gigabyte of zeros takes its time even here.
  if (!configs.has('internal.segment.bytes')) configs.delete('preallocate')
  return configs
}
