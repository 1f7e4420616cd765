import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ProducerBatch } from '../../../src/clients/producer/producer-batch.ts'
import {
  addSequence,
  type PartitionQueue,
  RecordAccumulator,
} from '../../../src/clients/producer/record-accumulator.ts'
import { readRecords } from '../../../src/protocol/records/record-reader.ts'

const MAX_BYTES = 4000
const CLOCK = { monotonic: () => 0 }

type Step =
  | { readonly kind: 'append'; readonly partition: number; readonly size: number }
  | { readonly kind: 'take' | 'put back' | 'split' | 'finish'; readonly pick: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('append' as const),
    partition: fc.integer({ min: 0, max: 1 }),
    size: fc.integer({ min: 0, max: 700 }),
  }),
  fc.record({
    kind: fc.constantFrom(
      'take' as const,
      'put back' as const,
      'split' as const,
      'finish' as const,
    ),
    pick: fc.nat(100),
  }),
)

/** An accumulator with a model of it: which records each partition must still see, in order. */
class Model {
  readonly accumulator = new RecordAccumulator({
    ...{ batchBytes: 500, maxBytes: MAX_BYTES },
    ...{ compression: 'none', compressionLevel: undefined },
  })
  readonly #appended: string[][] = [[], []]
  readonly #finished: string[][] = [[], []]
  readonly #told = new Map<string, number>()
  #count = 0

  run(step: Step): void {
    if (step.kind === 'append') {
      this.#append(step.partition, step.size)
      return
    }
    const isTake = step.kind === 'take'
    const batches = isTake ? [] : this.#underWay()
    const queues = isTake ? [...this.accumulator.waiting] : []
    const choices = isTake ? queues.length : batches.length
    if (choices === 0) return
    const at = step.pick % choices
    if (isTake) this.accumulator.take(queues[at]!).bytes({})
    else if (step.kind === 'put back') this.accumulator.putBack(batches[at]!)
    else if (step.kind === 'finish') this.#finish(batches[at]!)
    else if (batches[at]!.recordCount > 1) this.accumulator.split(batches[at]!)
  }

  /** Finishes all that is left, in the order of each queue. */
  drain(): void {
    for (const batch of this.#underWay()) this.accumulator.putBack(batch)
    for (const queue of [...this.accumulator.waiting]) {
      while (queue.batches.length > 0) this.#finish(this.accumulator.take(queue))
    }
  }

  check(): void {
    assert.equal(this.accumulator.usedBytes, 0)
    assert.equal(this.accumulator.batchCount, 0)
    for (const partition of [0, 1]) {
      const sorted = [...this.#finished[partition]!].sort((a, b) => Number(a) - Number(b))
      assert.deepEqual(sorted, this.#appended[partition])
    }
    assert.equal(this.#told.size, this.#count)
  }

  /** What is left of each partition is in order, whatever has come back. */
  checkOrder(): void {
    for (const { batches } of this.accumulator.queues()) {
      const orders = batches.map(({ order }) => order)
      assert.deepEqual(
        orders,
        orders.toSorted((a, b) => a - b),
      )
    }
    assert.ok(this.accumulator.usedBytes <= MAX_BYTES + 1000)
  }

  #append(partition: number, size: number): void {
    const name = `${this.#count}`
    const value = Buffer.from(name.padEnd(Math.max(size, name.length)))
    const done = (error: unknown, metadata: { offset: number } | undefined) => {
      assert.equal(error, undefined)
      assert.equal(this.#told.has(name), false, 'told twice')
      this.#told.set(name, metadata!.offset)
    }
    const record = { timestamp: 1, key: null, value, headers: [], done }
    const result = this.accumulator.append('t', partition, record, CLOCK)
    if (result === 'no memory') {
      assert.ok(this.accumulator.usedBytes > 0)
      return
    }
    this.#count += 1
    this.#appended[partition]!.push(name)
    value.fill(0)
  }

  #finish(batch: ProducerBatch): void {
    const records = readRecords(batch.bytes({}))
    assert.equal(records.length, batch.recordCount)
    const names = records.map(({ value }) => String(value).trim())
    this.#finished[batch.queue.partition]!.push(...names)
    this.accumulator.release(batch)
    batch.complete(undefined, 100, -1, (thrown) => {
      throw thrown
    })
    for (const [index, name] of names.entries()) assert.equal(this.#told.get(name), 100 + index)
  }

  #underWay(): ProducerBatch[] {
    const inFlight = ({ inFlight }: PartitionQueue) => [...inFlight]
    return [...this.accumulator.queues()].flatMap(inFlight)
  }
}

test('whatever comes back, is split or waits: each record leaves once, memory is returned', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const model = new Model()
      for (const each of steps) {
        model.run(each)
        model.checkOrder()
      }
      model.drain()
      model.check()
    }),
    { numRuns: 150 },
  )
})

test('sequences start again after the largest', () => {
  assert.equal(addSequence(0x7fff_fffe, 1), 0x7fff_ffff)
  assert.equal(addSequence(0x7fff_fffe, 2), 0)
  assert.equal(addSequence(0x7fff_fff0, 32), 16)
})

test('batches are filled by what compression leaves of them, within all memory', () => {
  const settings = { batchBytes: 1000, maxBytes: 64_000, compressionLevel: undefined }
  const accumulator = new RecordAccumulator({ ...settings, compression: 'gzip' })
  const fill = (topic: string, value: Buffer) => {
    const record = { timestamp: 1, key: null, value, headers: [], done: undefined }
    while (accumulator.append(topic, 0, record, CLOCK) !== 'filled a batch');
    const [queue] = accumulator.waiting
    const first = accumulator.take(queue!)
    const { length } = accumulator.finish(first, {})
    accumulator.release(first)
    return { length, records: first.recordCount }
  }
  const before = fill('dull', Buffer.alloc(100))
  assert.ok(before.records < 10 && before.length < 200)
  for (let i = 0; i < 10; i++) fill('dull', Buffer.alloc(100))
  const after = fill('dull', Buffer.alloc(100))
  assert.ok(after.records > before.records * 3, `${after.records} records in a batch`)
  assert.ok(accumulator.usedBytes <= 64_000)
})
