/**
 * Random lives of a share partition: members fetch, acknowledge in every way, go silent and leave,
 * writes fail or take their time, leaders change. A model keeps, record by record, what members
 * have seen.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AcknowledgeType } from '../../../src/server/share/acknowledgement.ts'
import type { AcquiredRecords } from '../../../src/server/share/acquisition.ts'
import {
  batchesOf,
  LOCK_MS,
  SharePartitionWorld,
  settled,
  unavailable,
} from './share-partition-world.ts'

const MEMBERS = ['a', 'b', 'c']
/** Low, so that it is reached. */
const DELIVERY_LIMIT = 3

interface Held {
  readonly memberId: string
  /** Until when the lock lasts. */
  untilMs: number
  /** The member has said what became of it, and waits to hear that this is safe. */
  isBeingWritten: boolean
}

class Life {
  readonly world: SharePartitionWorld
  /** By offset. */
  readonly held = new Map<number, Held>()
  readonly done = new Set<number>()
  readonly deliveries = new Map<number, number>()
  readonly #written: Promise<void>[] = []
  #leadership = {}

  constructor(sizes: readonly number[]) {
    this.world = new SharePartitionWorld(batchesOf(...sizes), DELIVERY_LIMIT)
  }

  get now(): number {
    return this.world.clock.monotonic()
  }

  fetch(memberId: string, maxRecords: number, isRecordLimit: boolean): number {
    const acquired = this.world.fetch(memberId, { maxRecords, isRecordLimit, batchCount: 4 })
    let count = 0
    for (const records of acquired) count += this.#deliver(memberId, records)
    if (isRecordLimit) assert.ok(count <= maxRecords, `${count} records, at most ${maxRecords}`)
    return count
  }

  #deliver(memberId: string, { firstOffset, lastOffset, deliveryCount }: AcquiredRecords): number {
    assert.ok(deliveryCount <= DELIVERY_LIMIT, `delivered ${deliveryCount} times`)
    for (let offset = firstOffset; offset <= lastOffset; offset++) {
      assert.ok(!this.done.has(offset), `${offset} is done with, and delivered again`)
      const held = this.held.get(offset)
      const isFree = held === undefined || (held.untilMs <= this.now && !held.isBeingWritten)
      assert.ok(isFree, `${offset} goes to ${memberId}, but is with ${held?.memberId}`)
      const untilMs = this.now + LOCK_MS
      this.held.set(offset, { memberId, untilMs, isBeingWritten: false })
      const known = this.deliveries.get(offset) ?? 0
      assert.ok(deliveryCount <= known + 1, 'more deliveries are counted than were made')
      this.deliveries.set(offset, known + 1)
    }
    return lastOffset - firstOffset + 1
  }

  /** A member acknowledges a row of the records that it has, each offset with its own type. */
  acknowledge(memberId: string, skip: number, types: readonly number[]): void {
    const mine = [...this.held]
      .filter(([, held]) => held.memberId === memberId && !held.isBeingWritten)
      .filter(([, held]) => held.untilMs > this.now)
      .map(([offset]) => offset)
      .sort((x, y) => x - y)
    const first = mine[Math.min(skip, mine.length - 1)]
    if (first === undefined) return
    let count = 1
    while (count < types.length && mine.includes(first + count)) count += 1
    const row = types.slice(0, count)
    const batch = { firstOffset: first, lastOffset: first + count - 1, acknowledgeTypes: row }
    const leadership = this.#leadership
    for (const [i, type] of row.entries()) {
      const held = this.held.get(first + i)!
      if (type === AcknowledgeType.RENEW) held.untilMs = this.now + LOCK_MS
      else held.isBeingWritten = true
    }
    const settle = (isWritten: boolean) => {
      for (const [i, type] of row.entries()) {
        if (type === AcknowledgeType.RENEW) continue
        const isFinal = type !== AcknowledgeType.RELEASE
        if (isWritten && isFinal) this.done.add(first + i)
        if (leadership !== this.#leadership) continue
        if (isWritten) this.held.delete(first + i)
        else this.held.get(first + i)!.isBeingWritten = false
      }
    }
    const outcome = this.world.partition.acknowledge(memberId, [batch])
    this.#written.push(
      outcome.then(
        () => settle(true),
        (error: unknown) => {
          assert.equal((error as { errorName?: string }).errorName, 'COORDINATOR_NOT_AVAILABLE')
          settle(false)
        },
      ),
    )
  }

  leave(memberId: string): void {
    const mine = [...this.held].filter(
      ([, held]) => held.memberId === memberId && !held.isBeingWritten,
    )
    const leadership = this.#leadership
    for (const [, held] of mine) held.isBeingWritten = true
    const settle = (isWritten: boolean) => {
      if (leadership !== this.#leadership) return
      for (const [offset, held] of mine) {
        if (isWritten) this.held.delete(offset)
        else held.isBeingWritten = false
      }
    }
    const outcome = this.world.partition.release(memberId)
    this.#written.push(
      outcome.then(
        () => settle(true),
        () => settle(false),
      ),
    )
  }

  /** Lets the writes that wait through, or fail. */
  async letGo(fails: boolean): Promise<void> {
    for (const release of this.world.persister.held.splice(0)) {
      release(fails ? unavailable : undefined)
    }
    await settled()
  }

  /** Another leader takes over. */
  async restart(): Promise<void> {
    await this.letGo(true)
    this.world.partition.close()
    this.#leadership = {}
    this.held.clear()
    await this.world.start()
  }

  /** All writes succeed from now on, and one member takes and accepts whatever there is. */
  async finish(): Promise<void> {
    this.world.persister.holdsWrites = false
    await this.letGo(false)
    await Promise.all(this.#written)
    this.world.advance(2 * LOCK_MS)
    await settled()
    const end = this.world.batches.at(-1)!.lastOffset
    while (this.fetch('z', 50, false) > 0) {
      const count = [...this.held.values()].filter((held) => held.memberId === 'z').length
      for (let i = 0; i < count; i++) this.acknowledge('z', 0, [AcknowledgeType.ACCEPT])
      await Promise.all(this.#written)
    }
    assert.equal(this.world.partition.startOffset, end + 1)
    for (let offset = 0; offset <= end; offset++) {
      const isGivenUp = (this.deliveries.get(offset) ?? 0) >= DELIVERY_LIMIT
      assert.ok(this.done.has(offset) || isGivenUp, `${offset} was lost`)
    }
  }
}

type Step = (life: Life) => void | Promise<void>

const member = fc.constantFrom(...MEMBERS)
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fetches() },
  { weight: 8, arbitrary: acknowledgements() },
  {
    weight: 2,
    arbitrary: fc.constantFrom(1, 400, LOCK_MS + 1).map(
      (ms): Step =>
        (life) =>
          life.world.advance(ms),
    ),
  },
  {
    weight: 1,
    arbitrary: member.map(
      (id): Step =>
        (life) =>
          life.leave(id),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.boolean().map(
      (holds): Step =>
        (life) => {
          life.world.persister.holdsWrites = holds
        },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.boolean().map(
      (fails): Step =>
        (life) =>
          life.letGo(fails),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((life) => life.restart()) },
)

function fetches(): fc.Arbitrary<Step> {
  return fc.tuple(member, fc.integer({ min: 1, max: 30 }), fc.boolean()).map(
    ([id, max, strict]): Step =>
      (life) =>
        void life.fetch(id, max, strict),
  )
}

function acknowledgements(): fc.Arbitrary<Step> {
  const types = fc.array(fc.nat(4), { minLength: 1, maxLength: 12 })
  return fc.tuple(member, fc.nat(20), types).map(
    ([id, skip, row]): Step =>
      (life) =>
        life.acknowledge(id, skip, row),
  )
}

test('whatever happens, records are with one member, done once, and never lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 1, maxLength: 10 }),
      fc.array(steps, { maxLength: 60 }),
      async (sizes, script) => {
        const life = new Life(sizes)
        await life.world.start()
        for (const step of script) {
          await step(life)
          await settled()
        }
        await life.finish()
      },
    ),
    { numRuns: 300 },
  )
})
