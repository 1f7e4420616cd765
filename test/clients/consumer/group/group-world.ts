/**
 * A whole broker and consumers of one group in a simulated world: each consumer is a process on a
 * host of its own, which can be killed, cut off or made to hang, and hours pass in a moment.
 *
 * The world keeps book of who owns what: a partition that is given to one member while another has
 * it is a failure, unless that other one is known to be out of reach.
 */
import assert from 'node:assert/strict'
import type { ProcessClock } from '../../../../sim/simulated-clock.ts'
import { SimulatedDisk } from '../../../../sim/simulated-disk.ts'
import { SimulatedNetwork } from '../../../../sim/simulated-network.ts'
import { Simulation } from '../../../../sim/simulation.ts'
import {
  Admin,
  type ClientEnvironment,
  Consumer,
  type ConsumerOptions,
  Producer,
  type Subscription,
} from '../../../../src/clients/index.ts'
import { partitionName, type TopicPartition } from '../../../../src/clients/topic-partition.ts'
import { sleep } from '../../../../src/common/clock.ts'
import { createBrokerConfig } from '../../../../src/common/config/broker-config.ts'
import { silentLogger } from '../../../../src/common/logger.ts'
import { Broker } from '../../../../src/server/broker.ts'

const BROKER_HOST = 'broker'
const PORT = 9092
const SETTINGS = {
  'node.id': '1',
  listeners: `PLAINTEXT://${BROKER_HOST}:${PORT}`,
  'log.dirs': '/data',
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '1',
  // Simulated hours are full of its turns.
  'log.cleaner.enable': 'false',
}
const POLL_MS = 200
const PATIENCE_MS = 120_000

type Settings = ConsumerOptions<Buffer, Buffer>

export class GroupWorld {
  readonly simulation: Simulation
  readonly network: SimulatedNetwork
  readonly members: GroupWorldMember[] = []
  /** By partition: who is to have it alone. */
  readonly owners = new Map<string, GroupWorldMember>()
  /** By `topic-partition@offset`: how often a record was handed out. */
  readonly deliveries = new Map<string, number>()
  readonly #disk: SimulatedDisk
  readonly #settings: Settings
  #broker: Broker | undefined
  #admin: Admin | undefined
  #produced = 0

  constructor(seed: number, settings: Settings) {
    this.simulation = new Simulation({ seed })
    this.#settings = settings
    const { clock, random } = this.simulation
    this.network = new SimulatedNetwork({ clock, random })
    this.#disk = new SimulatedDisk({ clock, random })
    this.#disk.makeDirectory('/data')
  }

  /** Runs a scenario, with the broker up before and everything down after. */
  static async run(
    { seed = 1, ...settings }: Settings & { readonly seed?: number },
    scenario: (world: GroupWorld) => Promise<void>,
  ): Promise<void> {
    const world = new GroupWorld(seed, settings as Settings)
    await world.simulation.run(async () => {
      await world.startBroker()
      await scenario(world)
      await Promise.all(world.members.map((member) => member.close()))
      world.#admin?.close()
      await world.stopBroker()
    })
  }

  get admin(): Admin {
    this.#admin ??= new Admin(
      { bootstrapServers: `${BROKER_HOST}:${PORT}` },
      this.environment('admin'),
    )
    return this.#admin
  }

  environment(
    host: string,
    clock: ProcessClock = this.simulation.clock.process(),
  ): ClientEnvironment {
    const channel = { hasSubscribers: false, publish: () => {} }
    return {
      ...{ clock, random: this.simulation.random, log: silentLogger },
      network: this.network.host(host),
      diagnostics: { channel: () => channel },
    }
  }

  async startBroker(): Promise<void> {
    const { clock, random } = this.simulation
    this.#broker = new Broker({
      config: createBrokerConfig(new Map(Object.entries(SETTINGS))),
      ...{ clock, random, disk: this.#disk, network: this.network.host(BROKER_HOST) },
      ...{ log: silentLogger, hostName: BROKER_HOST, poisonMemory: true },
    })
    await this.#broker.start()
  }

  async stopBroker(): Promise<void> {
    await this.#broker!.stop()
  }

  /** A consumer of the group; it polls until it is told otherwise. */
  join(settings: Settings = {}, to: Subscription = 't'): GroupWorldMember {
    const name = `member-${this.members.length + 1}`
    const member = new GroupWorldMember(this, name, to, {
      ...{ bootstrapServers: `${BROKER_HOST}:${PORT}`, groupId: 'g', autoOffsetReset: 'earliest' },
      ...this.#settings,
      ...settings,
    })
    this.members.push(member)
    return member
  }

  /** Those that are to have something in the end. */
  get alive(): GroupWorldMember[] {
    return this.members.filter(({ isAlive }) => isAlive)
  }

  /** What went wrong with any member. */
  get errors(): unknown[] {
    return this.members.flatMap(({ errors }) => errors)
  }

  async pass(durationMs: number): Promise<void> {
    await sleep(this.simulation.clock, durationMs)
  }

  /** Writes a record to each of the partitions. */
  async produce(topic: string, partitions: number, count = 1): Promise<void> {
    const settings = { bootstrapServers: `${BROKER_HOST}:${PORT}`, lingerMs: 0 }
    const producer = new Producer(settings, this.environment('producer'))
    for (let turn = 0; turn < count; turn++) {
      const records = Array.from({ length: partitions }, (_, partition) =>
        producer.send({ topic, partition, value: Buffer.from(`${this.#produced++}`) }),
      )
      await Promise.all(records)
    }
    await producer.close()
  }

  /** Resolves when `isSo`; rejects when that takes longer than it ever should. */
  async until(isSo: () => boolean, what: string): Promise<void> {
    const { clock } = this.simulation
    const deadlineMs = clock.monotonic() + PATIENCE_MS
    while (!isSo()) {
      const state = () => this.members.map((each) => `${each.name}: ${each.assignment}`).join('; ')
      if (clock.monotonic() > deadlineMs) assert.fail(`${what} did not come about: ${state()}`)
      await this.pass(50)
    }
  }

  /** The group has come to rest: each partition has one owner, and nobody has much more. */
  async settle(topics: Readonly<Record<string, number>>): Promise<void> {
    const all = Object.entries(topics).flatMap(([topic, count]) =>
      Array.from({ length: count }, (_, partition) => `${topic}-${partition}`),
    )
    const isSettled = () => {
      const given = this.alive.flatMap(({ assignment }) => assignment)
      const isComplete = given.length === all.length && new Set(given).isSupersetOf(new Set(all))
      const hasEach = this.alive.every(({ assignment }) => assignment.length > 0)
      return isComplete && (hasEach || all.length < this.alive.length)
    }
    await this.until(isSettled, 'an assignment of everything')
    for (const member of this.alive) {
      for (const partition of member.assignment) {
        assert.equal(this.owners.get(partition), member, `the owner of ${partition}`)
      }
    }
  }

  /** All records are handed out; each once if nobody was lost on the way. */
  async allDelivered(counts: Readonly<Record<string, number>>, isOnce: boolean): Promise<void> {
    const wanted = Object.entries(counts).flatMap(([partition, count]) =>
      Array.from({ length: count }, (_, offset) => `${partition}@${offset}`),
    )
    await this.until(() => wanted.every((record) => this.deliveries.has(record)), 'delivery of all')
    if (!isOnce) return
    const repeated = [...this.deliveries].filter(([, count]) => count > 1)
    assert.deepEqual(repeated, [], 'no record is handed out again')
  }
}

export class GroupWorldMember {
  readonly name: string
  readonly consumer: Consumer
  /** What the listener was told: `+t-0` assigned, `-t-0` revoked, `!t-0` lost. */
  readonly events: string[] = []
  /** What polls threw. */
  readonly errors: unknown[] = []
  /** The coordinator may not hear of it, or it of the coordinator. */
  isOutOfReach = false
  isAlive = true
  /** Whether the listener commits. */
  commitsOnRevoke = false
  /** What the listener throws the next time. */
  failsOnce: Error | undefined
  readonly #world: GroupWorld
  readonly #clock: ProcessClock
  #isHanging = false
  #loop: Promise<void>

  constructor(world: GroupWorld, name: string, to: Subscription, settings: Settings) {
    this.#world = world
    this.name = name
    this.#clock = world.simulation.clock.process()
    this.consumer = new Consumer(settings, world.environment(name, this.#clock))
    this.subscribe(to)
    this.#loop = this.#poll()
  }

  get assignment(): string[] {
    return this.consumer.assignment().map(partitionName)
  }

  subscribe(to: Subscription): void {
    this.consumer.subscribe(to, {
      onPartitionsAssigned: (partitions) => this.#claim(partitions),
      onPartitionsRevoked: async (partitions) => {
        if (this.commitsOnRevoke) await this.consumer.commitSync()
        this.#release('-', partitions)
      },
      onPartitionsLost: (partitions) => this.#release('!', partitions),
    })
  }

  /** Stops polling, for good or until `resume`. */
  hang(): void {
    this.#isHanging = true
    this.isOutOfReach = true
    this.isAlive = false
  }

  resume(): void {
    this.#isHanging = false
    this.isAlive = true
    this.#loop = this.#loop.then(() => this.#poll())
  }

  /** The process is gone, without a word. */
  kill(): void {
    this.isOutOfReach = true
    this.isAlive = false
    this.#isHanging = true
    this.#clock.stop()
    this.#world.network.killHost(this.name)
    this.#loop = Promise.resolve()
  }

  /** Leaves in order. */
  async close(): Promise<void> {
    if (!this.isAlive) return
    this.isAlive = false
    await this.#loop
    await this.consumer.close()
  }

  async #poll(): Promise<void> {
    while (this.isAlive && !this.#isHanging) {
      try {
        const records = await this.consumer.poll({ timeoutMs: POLL_MS })
        if (!this.isOutOfReach) this.#take(records)
      } catch (error) {
        this.errors.push(error)
        await sleep(this.#clock, POLL_MS)
      }
    }
  }

  #take(records: Iterable<TopicPartition & { readonly offset: number }>): void {
    const { owners, deliveries } = this.#world
    for (const record of records) {
      const name = partitionName(record)
      assert.equal(owners.get(name), this, `${this.name} reads ${name} without having it`)
      const key = `${name}@${record.offset}`
      deliveries.set(key, (deliveries.get(key) ?? 0) + 1)
    }
  }

  #claim(partitions: readonly TopicPartition[]): void {
    const { owners } = this.#world
    for (const partition of partitions) {
      const name = partitionName(partition)
      const owner = owners.get(name)
      if (owner !== undefined && !owner.isOutOfReach) {
        this.errors.push(new Error(`${name} is ${owner.name}'s and is given to ${this.name}`))
      }
      owners.set(name, this)
      this.events.push(`+${name}`)
    }
    this.isOutOfReach = false
    const error = this.failsOnce
    this.failsOnce = undefined
    if (error !== undefined) throw error
  }

  #release(sign: '-' | '!', partitions: readonly TopicPartition[]): void {
    const { owners } = this.#world
    for (const partition of partitions) {
      const name = partitionName(partition)
      if (owners.get(name) === this) owners.delete(name)
      this.events.push(`${sign}${name}`)
    }
  }
}
