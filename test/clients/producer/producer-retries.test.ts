/** What the producer makes of errors, against a broker that checks sequences as Kafka does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Producer } from '../../../src/clients/producer/producer.ts'
import { sleep } from '../../../src/common/clock.ts'
import { ErrorCode } from '../../../src/common/errors.ts'
import { recordsBuffer } from '../../../src/protocol/compile.ts'
import { InitProducerId } from '../../../src/protocol/messages/init-producer-id.ts'
import { Metadata } from '../../../src/protocol/messages/metadata.ts'
import { Produce } from '../../../src/protocol/messages/produce.ts'
import { readRecordBatchHeader } from '../../../src/protocol/records/record-batch.ts'
import { readRecords } from '../../../src/protocol/records/record-reader.ts'
import { ClientWorld, metadataAnswer } from '../support/client-world.ts'
import { answer, requestOf, type Script } from '../support/scripted-broker.ts'

/** What goes wrong with one request: before its batch is written, or after. */
type Fault = 'none' | 'lose request' | 'lose answer' | 'not leader' | 'forget producer'

/** One partition, with the rules of idempotence. */
class Partition {
  readonly log: string[] = []
  readonly #refused: ReadonlySet<string>
  #hasForgotten = false
  #producer: { epoch: number; sequences: Map<number, number>; next: number } | undefined

  /** Values of `refused` are never written. */
  constructor(refused: readonly string[] = []) {
    this.#refused = new Set(refused)
  }

  /** The error code and offset for a batch. */
  append(bytes: Buffer, fault: Fault): { errorCode: number; baseOffset: number } {
    const { producerEpoch, baseSequence, recordCount } = readRecordBatchHeader(bytes, 0)
    const failed = (errorCode: number) => ({ errorCode, baseOffset: -1 })
    if (fault === 'not leader') return failed(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    const found = readRecords(bytes).map(({ value }) => String(value))
    if (found.some((value) => this.#refused.has(value))) return failed(ErrorCode.INVALID_RECORD)
    if (fault === 'forget producer') {
      this.#producer = undefined
      this.#hasForgotten = true
    }
    if (this.#producer === undefined || producerEpoch > this.#producer.epoch) {
      if (baseSequence !== 0) {
        if (this.#producer !== undefined) return failed(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
        if (this.#hasForgotten) return failed(ErrorCode.UNKNOWN_PRODUCER_ID)
      }
      this.#producer = { epoch: producerEpoch, sequences: new Map(), next: baseSequence }
    }
    const producer = this.#producer
    if (producerEpoch < producer.epoch) return failed(ErrorCode.INVALID_PRODUCER_EPOCH)
    const known = producer.sequences.get(baseSequence)
    if (known !== undefined) return { errorCode: ErrorCode.NONE, baseOffset: known }
    if (baseSequence !== producer.next) return failed(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    const baseOffset = this.log.length
    producer.sequences.set(baseSequence, baseOffset)
    producer.next = baseSequence + recordCount
    this.log.push(...found)
    return { errorCode: ErrorCode.NONE, baseOffset }
  }
}

function scriptOf(partition: Partition, nextFault: () => Fault): Script {
  let producerId = 10
  return (asked) => {
    if (asked.api.key === Metadata.key) return metadataAnswer([1])
    if (asked.api.key === InitProducerId.key) {
      return answer(InitProducerId, { errorCode: 0, producerId: producerId++, producerEpoch: 0 })
    }
    const request = requestOf(Produce, asked)
    if (request === undefined) return undefined
    const fault = nextFault()
    if (fault === 'lose request') return 'close'
    const { topicId, name, partitionData } = request.topicData[0]!
    const outcome = partition.append(recordsBuffer(partitionData[0]!.records), fault)
    if (fault === 'lose answer') return 'close'
    const partitionResponses = [{ index: 0, ...outcome }]
    return answer(Produce, { responses: [{ name, topicId, partitionResponses }] })
  }
}

/** Sends `count` records, one a batch; returns what the broker has, and each one's outcome. */
async function produceThrough(faults: readonly Fault[], count: number, refused: string[] = []) {
  const world = new ClientWorld()
  const partition = new Partition(refused)
  let at = 0
  const outcomes = await world.run(async () => {
    await world.broker(
      1,
      scriptOf(partition, () => faults[at++] ?? 'none'),
    )
    const settings = { bootstrapServers: 'broker-1:9092', batchSize: 0, lingerMs: 0 }
    const producer = new Producer(settings, world.environment)
    const sends = Array.from({ length: count }, (_, index) =>
      producer.send({ topic: 't', value: `${index}` }).then(
        ({ offset }) => offset,
        (error) => error.errorName as string,
      ),
    )
    const all = await Promise.all(sends)
    await producer.close()
    return all
  })
  return { log: partition.log, outcomes }
}

const values = (count: number) => Array.from({ length: count }, (_, index) => `${index}`)

test('whatever is lost on the way, each record is written once and in order', async () => {
  const fault = fc.constantFrom<Fault>('none', 'lose request', 'lose answer', 'not leader')
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { maxLength: 15 }), async (faults) => {
      const { log, outcomes } = await produceThrough(faults, 12)
      assert.deepEqual(log, values(12))
      assert.deepEqual(outcomes.map(String), values(12))
    }),
    { numRuns: 60 },
  )
})

test('a record that is refused takes none with it, and none is written twice', async () => {
  const fault = fc.constantFrom<Fault>('none', 'none', 'not leader', 'lose answer', 'lose request')
  const input = [fc.array(fault, { maxLength: 15 }), fc.subarray(values(12))] as const
  await fc.assert(
    fc.asyncProperty(...input, async (faults, refused) => {
      const { log, outcomes } = await produceThrough(faults, 12, refused)
      assert.deepEqual(
        log,
        values(12).filter((value) => !refused.includes(value)),
      )
      for (const [index, outcome] of outcomes.entries()) {
        if (refused.includes(`${index}`)) assert.equal(outcome, 'INVALID_RECORD')
        else assert.equal(log[outcome as number], `${index}`)
      }
    }),
    { numRuns: 60 },
  )
})

test('a broker that has forgotten the producer gets a new epoch', async () => {
  const faults: Fault[] = ['none', 'none', 'none', 'none', 'none', 'forget producer']
  const { log, outcomes } = await produceThrough(faults, 12)
  assert.deepEqual(log, values(12))
  assert.deepEqual(outcomes.map(String), values(12))
})

test('without retries, a topic that is being made is waited for all the same', async () => {
  const world = new ClientWorld()
  const partition = new Partition()
  const { offset } = await world.run(async () => {
    let asked = 0
    const serve = scriptOf(partition, () => 'none')
    await world.broker(1, (request) => {
      const isNew = request.api.key === Metadata.key && ++asked < 4
      return isNew ? metadataAnswer([1], { errorCode: 3 }) : serve(request)
    })
    const settings = { bootstrapServers: 'broker-1:9092', retries: 0, enableIdempotence: false }
    await using producer = new Producer(settings, world.environment)
    return await producer.send({ topic: 't', value: 'v' })
  })
  assert.equal(offset, 0)
})

test('a broker that is gone for 30 s costs nothing but time', async () => {
  const world = new ClientWorld()
  const partition = new Partition()
  const script = scriptOf(partition, () => 'none')
  await world.run(async () => {
    const broker = await world.broker(1, script)
    const settings = { bootstrapServers: 'broker-1:9092', lingerMs: 0 }
    const producer = new Producer(settings, world.environment)
    await producer.send({ topic: 't', value: '0' })
    await broker.stop()
    world.environment.clock.schedule(30_000, () => void world.broker(1, script))
    const sent = ['1', '2', '3'].map((value) => producer.send({ topic: 't', value }))
    const offsets = (await Promise.all(sent)).map(({ offset }) => offset)
    assert.deepEqual(offsets, [1, 2, 3])
    await producer.close()
  })
  assert.deepEqual(partition.log, values(4))
})

test('a record that cannot be delivered fails after delivery.timeout.ms', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    const broker = await world.broker(
      1,
      scriptOf(new Partition(), () => 'none'),
    )
    const settings = { lingerMs: 0, requestTimeoutMs: 1000, deliveryTimeoutMs: 5000 }
    const servers = { bootstrapServers: 'broker-1:9092' }
    const producer = new Producer({ ...servers, ...settings }, world.environment)
    await producer.send({ topic: 't', value: '0' })
    await broker.stop()
    const { clock } = world.environment
    const startMs = clock.monotonic()
    const late = { name: 'TimeoutError', message: /1 record\(s\) for t-0: .* within 5000 ms/ }
    await assert.rejects(producer.send({ topic: 't', value: '1' }), late)
    assert.ok(Math.abs(clock.monotonic() - startMs - 5000) < 2)
    await producer.close()
  })
})

test('delivery.timeout.ms ends the wait for a request, and order stays', async () => {
  const world = new ClientWorld()
  const { clock } = world.environment
  const partition = new Partition()
  const faults: Fault[] = ['not leader']
  let slow = 2
  const script = scriptOf(partition, () => faults.shift() ?? 'none')
  await world.run(async () => {
    await world.broker(1, async (asked) => {
      if (asked.api.key === Produce.key && slow-- > 0) await sleep(clock, 4000)
      return script(asked)
    })
    const settings = { lingerMs: 0, batchSize: 0, requestTimeoutMs: 5000, deliveryTimeoutMs: 6000 }
    const servers = { bootstrapServers: 'broker-1:9092' }
    const producer = new Producer({ ...servers, ...settings }, world.environment)
    const startMs = clock.monotonic()
    const late = { name: 'TimeoutError', message: /1 record\(s\) for t-0: .* within 6000 ms/ }
    await assert.rejects(producer.send({ topic: 't', value: '0' }), late)
    assert.ok(Math.abs(clock.monotonic() - startMs - 6000) < 50)
    const { offset } = await producer.send({ topic: 't', value: '1' })
    assert.equal(offset, 1)
    await producer.close()
  })
  // It was written all the same: only nobody could know.
  assert.deepEqual(partition.log, ['0', '1'])
})
