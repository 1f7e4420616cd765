/**
 * Share groups whose members come, go, are killed and cut off, and whose broker restarts, in a
 * simulated world: no record is with two members at once, none that was accepted comes again, and
 * in the end all are done.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeededRandom } from '../../../sim/seeded-random.ts'
import type { ProcessClock } from '../../../sim/simulated-clock.ts'
import { KafkaError, ShareConsumer, type ShareRecord } from '../../../src/clients/index.ts'
import { sleep } from '../../../src/common/clock.ts'
import { GroupWorld } from '../consumer/group/group-world.ts'

/** The lock begins before the records have come, and may end as much earlier than is known here. */
const LOCK_MS = 25_000
const DELIVERY_LIMIT = 5
const PARTITIONS = 2

/** What is known of one record. */
interface Fate {
  /** Who has it, and since when: nobody else may. */
  holder: Member | undefined
  sinceMs: number
  deliveryCount: number
  isAccepted: boolean
  /** It may be done: somebody never heard whether it was accepted, or this was the last time. */
  mayBeDone: boolean
}

class Ledger {
  readonly world: GroupWorld
  readonly fates = new Map<string, Fate>()
  readonly members: Member[] = []

  constructor(world: GroupWorld) {
    this.world = world
  }

  get nowMs(): number {
    return this.world.simulation.clock.monotonic()
  }

  deliver(member: Member, record: ShareRecord): void {
    const key = `${record.partition}@${record.offset}`
    const fate = this.fates.get(key)
    if (fate !== undefined) {
      assert.ok(!fate.isAccepted, `${key} was accepted, and is delivered to ${member.name}`)
      const isHeld = fate.holder !== undefined && this.nowMs - fate.sinceMs < LOCK_MS
      assert.ok(!isHeld, `${key} is with ${fate.holder?.name}, and is delivered to ${member.name}`)
      assert.ok(record.deliveryCount > fate.deliveryCount, `${key} is delivered, and not counted`)
    }
    const { deliveryCount } = record
    const ends = { isAccepted: false, mayBeDone: deliveryCount >= DELIVERY_LIMIT }
    this.fates.set(key, { holder: member, sinceMs: this.nowMs, deliveryCount, ...ends })
  }

  /** It is on its way back: the broker may have it before it says so. */
  release(member: Member, { partition, offset }: ShareRecord): void {
    const fate = this.fates.get(`${partition}@${offset}`)
    if (fate?.holder === member) fate.holder = undefined
  }

  /** Nobody can say any more who has what of these members: sessions, or the broker, are gone. */
  forget(members: readonly Member[]): void {
    for (const [key, fate] of this.fates) {
      if (fate.holder === undefined || !members.includes(fate.holder)) continue
      if (fate.holder.hasAccepted(key)) fate.mayBeDone = true
      fate.holder = undefined
    }
  }

  /** Whether every record was accepted, or delivered as often as the broker does it. */
  isDone(count: number): boolean {
    const all = [...this.fates.values()]
    const ends = all.filter(({ isAccepted, mayBeDone }) => isAccepted || mayBeDone)
    return ends.length === count
  }
}

class Member {
  readonly name: string
  readonly consumer: ShareConsumer
  readonly errors: unknown[] = []
  isAlive = true
  readonly #ledger: Ledger
  readonly #random: SeededRandom
  readonly #clock: ProcessClock
  #loop: Promise<void>

  constructor(ledger: Ledger, random: SeededRandom) {
    const { world } = ledger
    this.name = `sharer-${ledger.members.length + 1}`
    this.#ledger = ledger
    this.#random = random
    this.#clock = world.simulation.clock.process()
    const settings = { bootstrapServers: 'broker:9092', groupId: 's', maxPollRecords: 3 }
    this.consumer = new ShareConsumer(
      { ...settings, shareAcknowledgementMode: 'explicit', shareAcquireMode: 'record_limit' },
      world.environment(this.name, this.#clock),
    )
    this.consumer.subscribe('t')
    this.consumer.setAcknowledgementCommitCallback(({ partition, offsets }, error) => {
      for (const offset of offsets) this.#committed(`${partition}@${offset}`, error)
    })
    ledger.members.push(this)
    this.#loop = this.#work()
  }

  /** What has been said of records whose acknowledgement is on its way. */
  readonly #said = new Map<string, 'accept' | 'release'>()

  async #work(): Promise<void> {
    while (this.isAlive) {
      try {
        for (const record of await this.consumer.poll({
          timeoutMs: this.#random.between(0, 400),
        })) {
          this.#ledger.deliver(this, record)
          const type = this.#random.chance(0.8) ? 'accept' : 'release'
          this.#said.set(`${record.partition}@${record.offset}`, type)
          this.consumer.acknowledge(record, type)
          if (type === 'release') this.#ledger.release(this, record)
        }
        if (this.#random.chance(0.5)) await this.consumer.commitSync()
        await sleep(this.#clock, this.#random.between(0, 200))
      } catch (error) {
        if (!(error instanceof KafkaError)) {
          this.errors.push(error)
          return
        }
        await sleep(this.#clock, 100)
      }
    }
  }

  #committed(key: string, error: KafkaError | undefined): void {
    const fate = this.#ledger.fates.get(key)
    if (fate?.holder !== this) return
    fate.holder = undefined
    if (!this.hasAccepted(key)) return
    if (error === undefined) fate.isAccepted = true
    else fate.mayBeDone = true
  }

  hasAccepted(key: string): boolean {
    return this.#said.get(key) === 'accept'
  }

  kill(): void {
    this.isAlive = false
    this.#clock.stop()
    this.#ledger.world.network.killHost(this.name)
    this.#loop = Promise.resolve()
    this.#ledger.forget([this])
  }

  async close(): Promise<void> {
    if (!this.isAlive) return
    this.isAlive = false
    await this.#loop
    await this.consumer.close()
    this.#ledger.forget([this])
  }
}

async function liveThrough(ledger: Ledger, random: SeededRandom): Promise<number> {
  const { world, members } = ledger
  let produced = 0
  for (let step = 0; step < 25; step++) {
    const alive = members.filter(({ isAlive }) => isAlive)
    const event = random.between(0, 9)
    if (alive.length === 0 || (event < 4 && alive.length < 4)) new Member(ledger, random)
    else if (event === 4) random.pick(alive).kill()
    else if (event === 5) void random.pick(alive).close()
    else if (event === 6) {
      await world.stopBroker()
      ledger.forget(members)
      // What was delivered and not acknowledged is not on the disk (KIP-932), nor is its count.
      for (const fate of ledger.fates.values()) fate.deliveryCount = 0
      await world.startBroker()
    } else if (event === 7) {
      const lost = random.pick(alive)
      ledger.forget([lost])
      world.network.cut(lost.name, 'broker')
      await world.pass(random.between(0, 5000))
      world.network.heal()
    }
    await world.produce('t', PARTITIONS, 3)
    produced += 3 * PARTITIONS
    await world.pass(random.between(0, 3000))
  }
  return produced
}

for (const seed of [1, 2, 3, 24]) {
  test(`a record is with one member at a time, and done in the end (seed ${seed})`, async () => {
    await GroupWorld.run({ seed }, async (world) => {
      const random = new SeededRandom(seed)
      await world.admin.createTopics([{ topic: 't', partitions: PARTITIONS }])
      const set = { 'share.auto.offset.reset': 'earliest' }
      await world.admin.alterConfigs([{ type: 'group', name: 's', set }])
      const ledger = new Ledger(world)
      const produced = await liveThrough(ledger, random)
      const last = new Member(ledger, random)
      const errors = () => ledger.members.flatMap((member) => member.errors)
      const isOver = () => errors().length > 0 || ledger.isDone(produced)
      await world.until(isOver, 'the end of all records')
      assert.deepEqual(errors(), [])
      for (const member of ledger.members) await member.close()
      assert.ok(
        last.consumer.metrics()['consumer-share-coordinator-metrics']['heartbeat-total'] > 0,
      )
    })
  })
}
