/**
 * The simulator's first room: one broker, whole, with its clients, a network and a disk, all run
 * from one seed.
 *
 * A run is a row of lives. In each the broker starts on what the life before has left on the disk;
 * everything the clients know is checked; the clients work, while the network and perhaps the disk
 * misbehave; and at some step, be it during the start, it ends: the power goes, the process is
 * killed, or it is stopped in order. The last life ends in order, and then the files are checked.
 *
 * The same seed gives the same run. A run that goes wrong throws a Violation, or whatever else the
 * broker's code has thrown.
 */
import { sleep } from '../src/common/clock.ts'
import { createBrokerConfig } from '../src/common/config/broker-config.ts'
import { DiskError } from '../src/common/disk.ts'
import { KafkaError } from '../src/common/errors.ts'
import type { Logger } from '../src/common/logger.ts'
import { MetadataError } from '../src/metadata/metadata-store.ts'
import { Broker } from '../src/server/broker.ts'
import { BrokerClient } from './broker-client.ts'
import { CoordinatorClient } from './coordinator-client.ts'
import { Guests } from './guests.ts'
import { checkLogFolders, readCheckpoint } from './log-folder-check.ts'
import { Violation } from './partition-model.ts'
import type { SeededRandom } from './seeded-random.ts'
import { RequestFailure, SimulatedClient } from './simulated-client.ts'
import type { ProcessClock } from './simulated-clock.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { SimulatedNetwork } from './simulated-network.ts'
import { Simulation } from './simulation.ts'
import { TopicModel } from './topic-model.ts'
import { verifyTopics } from './verification.ts'
import {
  type ActorOptions,
  AdministratorActor,
  ConsumerActor,
  IdempotentProducerActor,
  type Life,
  ProducerActor,
} from './workload.ts'

const BROKER_HOST = 'broker'
const PORT = 9092
/** How long a request may go unanswered before a client gives up. */
const REQUEST_TIMEOUT_MS = 10_000
/** More steps than this in one life mean that the broker is running in circles. */
const MAX_STEPS = 200_000

const SMALL_CACHE_BYTES = 300_000
const LARGE_CACHE_BYTES = 32 * 1024 * 1024

/** How a life ends. */
type End = 'power' | 'kill' | 'stop'

/** How the disk misbehaves, and from when on. */
type DiskTrouble = 'none' | 'errors at start' | 'errors' | 'full'

interface Plan {
  readonly end: End
  readonly trouble: DiskTrouble
  /** The step at which the life ends, if it has not ended by itself. */
  readonly lastStep: number
  /** How long the clients work, and how long each waits between two actions. */
  readonly workMs: number
  readonly pauseMs: number
  /** The room is closed afterwards. */
  readonly isLast: boolean
}

export interface BrokerRoomOptions {
  readonly seed: number
  /** Receives every event, for reading along. */
  readonly trace?: (line: string) => void
}

export interface BrokerRoomResult {
  readonly fingerprint: string
  readonly events: number
  readonly lives: number
}

/** Runs one seed from beginning to end. */
export async function runBrokerRoom(options: BrokerRoomOptions): Promise<BrokerRoomResult> {
  const room = new BrokerRoom(options)
  return await room.run()
}

/** A life while it lasts, and what came of it. */
class RunningLife implements Life {
  readonly plan: Plan
  readonly clock: ProcessClock
  readonly ended: Promise<void>
  end: () => void = () => {}
  isOver = false
  /** The broker has been killed: it must not be called any more. */
  isDead = false
  /** The course of the life has come to its end, or somebody has failed. */
  isDone = false
  /** The broker has been stopped, and all has gone well. */
  hasStopped = false
  failure: unknown
  /** When it ended, in simulated milliseconds. */
  endedMs = 0

  constructor(plan: Plan, clock: ProcessClock) {
    this.plan = plan
    this.clock = clock
    this.ended = new Promise((resolve) => {
      this.end = resolve
    })
  }

  get pauseMs(): number {
    return this.plan.pauseMs
  }

  get hasFaults(): boolean {
    return this.plan.trouble !== 'none'
  }

  fail(error: unknown): void {
    this.failure ??= error
    this.isDone = true
  }
}

class BrokerRoom {
  readonly #simulation: Simulation
  readonly #random: SeededRandom
  readonly #disk: SimulatedDisk
  readonly #network: SimulatedNetwork
  readonly #topics = [
    new TopicModel('t0', false),
    new TopicModel('t1', false),
    new TopicModel('t2', true),
    new TopicModel('t3', true),
  ]
  readonly #idempotent: IdempotentProducerActor
  readonly #guests: Guests
  readonly #settings: ReadonlyMap<string, string>
  readonly #directories: readonly string[]
  #clients = 0
  #lives = 0

  constructor(options: BrokerRoomOptions) {
    this.#simulation = new Simulation(options)
    const { clock, random, note } = this.#simulation
    this.#random = random.fork()
    this.#disk = new SimulatedDisk({
      clock,
      random: random.fork(),
      nameLoss: random.pick(['ordered', 'perDirectory']),
      maxDelayMs: random.pick([0.1, 2, 20]),
      observe: note,
    })
    this.#network = new SimulatedNetwork({
      clock,
      random: random.fork(),
      maxDelayMs: random.pick([0.1, 1, 5]),
      maxPieceBytes: random.pick([100, 2000, 65_536]),
      observe: note,
    })
    this.#directories = random.chance(0.3) ? ['/data/a', '/data/b'] : ['/data/a']
    this.#guests = new Guests({
      clock,
      random: random.fork(),
      connect: () => new CoordinatorClient(this.#newClient()),
    })
    this.#settings = new Map([...this.#chooseSettings(), ...this.#guests.settings])
    this.#idempotent = new IdempotentProducerActor('idempotent', this.#actorOptions())
    this.#disk.makeDirectory('/data')
    this.#disk.settle()
  }

  async run(): Promise<BrokerRoomResult> {
    const lives = this.#random.between(2, 4)
    for (let count = 0; count < lives; count++) await this.#live(this.#choosePlan())
    const work = this.#random.pick([
      { workMs: 0, pauseMs: 1 },
      { workMs: 200, pauseMs: 20 },
    ])
    await this.#live({ end: 'stop', trouble: 'none', lastStep: MAX_STEPS, isLast: true, ...work })
    for (const directory of this.#directories) checkLogFolders(this.#disk, directory)
    this.#guests.checkFiles(this.#disk, this.#directories)
    const { fingerprint, events } = this.#simulation
    return { fingerprint, events, lives: this.#lives }
  }

  #choosePlan(): Plan {
    const random = this.#random
    const trouble = random.chance(0.7)
      ? 'none'
      : random.pick(['errors at start', 'errors', 'errors', 'full'] as const)
    const workMs = random.pick([20, 200, 200, 2000])
    return {
      end: random.pick(['power', 'power', 'kill', 'stop'] as const),
      trouble,
      lastStep: random.chance(0.5)
        ? MAX_STEPS
        : Math.floor(random.fraction() * random.pick([20, 200, 1000])),
      workMs,
      isLast: false,
      pauseMs: workMs / random.pick([2, 10, 30]),
    }
  }

  #chooseSettings(): ReadonlyMap<string, string> {
    const random = this.#random
    return new Map([
      ['node.id', '1'],
      ['listeners', `PLAINTEXT://${BROKER_HOST}:${PORT}`],
      ['log.dirs', this.#directories.join(',')],
      ['auto.create.topics.enable', 'false'],
      ['log.flush.offset.checkpoint.interval.ms', random.pick(['50', '500', '60000'])],
      ['log.flush.start.offset.checkpoint.interval.ms', random.pick(['50', '500', '60000'])],
      ['log.retention.check.interval.ms', random.pick(['50', '300000'])],
      ['replica.high.watermark.checkpoint.interval.ms', random.pick(['100', '5000'])],
      ['num.recovery.threads.per.data.dir', random.pick(['1', '2'])],
    ])
  }

  #actorOptions(): ActorOptions {
    const { clock, random } = this.#simulation
    return { clock, random: random.fork(), client: this.#connect(), topics: this.#topics }
  }

  #connect(): BrokerClient {
    return new BrokerClient(this.#newClient())
  }

  #newClient(): SimulatedClient {
    const clientId = `client-${this.#clients++}`
    return new SimulatedClient({
      clock: this.#simulation.clock,
      network: this.#network.host(clientId),
      host: BROKER_HOST,
      port: PORT,
      clientId,
      timeoutMs: REQUEST_TIMEOUT_MS,
    })
  }

  async #live(plan: Plan): Promise<void> {
    this.#lives += 1
    const { note, clock } = this.#simulation
    note(`life ${this.#lives}: ${plan.trouble}, ${plan.workMs} ms, ${plan.end} by ${plan.lastStep}`)
    const life = new RunningLife(plan, clock.process())
    const course = this.#course(life)
      .catch((error: unknown) => life.fail(error))
      .finally(() => {
        life.isDone = true
      })
    await this.#simulation.rest()
    let steps = 0
    while (!life.isDone && steps < plan.lastStep) {
      if (clock.nextCallMs === undefined) throw new Violation('everybody waits, for nothing')
      await this.#simulation.step()
      steps += 1
    }
    if (steps >= MAX_STEPS) throw new Violation(`still busy after ${steps} steps`)
    note(`life ${this.#lives} ends after ${steps} steps${life.hasStopped ? ', in order' : ''}`)
    const wasInterrupted = !life.isDone
    this.#kill(life)
    await this.#simulation.run(() => course)
    if (life.failure !== undefined) this.#judge(life, wasInterrupted)
    this.#lookBack(life)
  }

  /** What happens in a life if nothing interrupts it. */
  async #course(life: RunningLife): Promise<void> {
    const { plan } = life
    if (plan.trouble === 'errors at start') this.#breakDisk(plan.trouble)
    const broker = this.#makeBroker(life)
    await Promise.race([broker.start(), life.ended])
    if (life.isOver || plan.trouble === 'errors at start') return
    const client = this.#connect()
    await verifyTopics(this.#topics, client, this.#random)
    client.close()
    await this.#guests.verify()
    this.#breakDisk(plan.trouble)
    const actors = this.#actors().map((actor) =>
      actor.run(life).catch((error: unknown) => life.fail(error)),
    )
    await Promise.race([sleep(this.#simulation.clock, plan.workMs), life.ended])
    if (plan.end === 'stop' && !life.isOver) {
      life.isOver = true
      await Promise.all(actors)
      if (life.isDead) return
      if (plan.isLast) await this.#guests.settle()
      await Promise.race([broker.stop().then(() => this.#noteStop(life)), life.ended])
    }
    life.isDone = true
    await life.ended
    await Promise.all(actors)
  }

  #noteStop(life: RunningLife): void {
    life.hasStopped = !life.hasFaults
  }

  #makeBroker(life: RunningLife): Broker {
    return new Broker({
      config: createBrokerConfig(this.#settings),
      disk: this.#disk,
      network: this.#network.host(BROKER_HOST),
      clock: life.clock,
      random: this.#random.fork(),
      log: this.#logger(life),
      hostName: BROKER_HOST,
      // Without a cache every read goes to the disk; a small one is always being evicted from.
      tailCacheBytes: this.#random.pick([0, SMALL_CACHE_BYTES, LARGE_CACHE_BYTES]),
      poisonMemory: true,
      onFatal: (error) => {
        if (!life.hasFaults) life.fail(error)
        life.isDone = true
      },
    })
  }

  /** The broker's log goes into the trace. On a sound machine it has no errors to report. */
  #logger(life: RunningLife): Logger {
    const line = (level: string) => (message: string, cause?: unknown) => {
      this.#simulation.note(`${level} ${message}${cause === undefined ? '' : `: ${cause}`}`)
    }
    const error = line('ERROR')
    return {
      debug: line('DEBUG'),
      info: line('INFO'),
      warn: line('WARN'),
      error: (message, cause) => {
        error(message, cause)
        if (!life.hasFaults) life.fail(new Violation(`the broker logged: ${message}: ${cause}`))
      },
    }
  }

  #actors(): { run(life: Life): Promise<void> }[] {
    const options = () => this.#actorOptions()
    const others = [
      new AdministratorActor(options()),
      { run: (life: Life) => this.#disturbNetwork(life) },
    ]
    if (!this.#guests.isEmpty) return [...this.#guests.actors(), ...others]
    return [
      this.#idempotent,
      new ProducerActor(`producer-${this.#lives}a`, options()),
      new ProducerActor(`producer-${this.#lives}b`, options()),
      new ConsumerActor(options()),
      ...others,
    ]
  }

  async #disturbNetwork(life: Life): Promise<void> {
    const random = this.#random.fork()
    const { clock } = this.#simulation
    while (!life.isOver) {
      await sleep(clock, random.fraction() * random.pick([50, 2000]))
      if (life.isOver) break
      if (random.chance(0.3)) this.#network.dropConnections(BROKER_HOST, random.fraction())
      if (random.chance(0.3)) {
        const cut = `client-${random.int(this.#clients)}`
        this.#network.cut(BROKER_HOST, cut)
        await sleep(clock, random.fraction() * random.pick([20, 2000]))
        this.#network.heal()
      }
    }
  }

  #breakDisk(trouble: DiskTrouble): void {
    const random = this.#random
    const { faults } = this.#disk
    if (trouble === 'full') {
      const { totalBytes, usableBytes } = this.#disk.space()
      faults.capacityBytes = totalBytes - usableBytes + random.int(20_000)
    } else if (trouble !== 'none') {
      faults.readError = random.pick([0, 0.02])
      faults.writeError = random.pick([0, 0.01])
      faults.syncError = random.pick([0, 0.02])
    }
  }

  #kill(life: RunningLife): void {
    life.isOver = true
    life.isDead = true
    life.endedMs = this.#simulation.clock.monotonic()
    life.clock.stop()
    this.#disk.killProcess()
    this.#network.killHost(BROKER_HOST)
    this.#network.heal()
    life.end()
  }

  /** Throws what went wrong in a life, unless it had to. */
  #judge(life: RunningLife, wasInterrupted: boolean): void {
    const { failure, hasFaults } = life
    // A client that is cut off at the end of a life has nothing to complain of.
    if (failure instanceof RequestFailure && (wasInterrupted || hasFaults)) return
    if (failure instanceof Violation) throw failure
    if (hasFaults && isOperatingError(failure)) return
    throw failure
  }

  /** A life has ended: the machine is repaired, and what must have survived is noted. */
  #lookBack(life: RunningLife): void {
    const { faults } = this.#disk
    Object.assign(faults, { readError: 0, writeError: 0, syncError: 0 })
    faults.capacityBytes = Number.POSITIVE_INFINITY
    let { end } = life.plan
    if (end === 'stop') end = this.#random.pick(['kill', 'power'] as const)
    // A machine whose disk has failed is switched off: what a failed sync has lost is still in the
    // page cache otherwise, where the next process takes it for safe.
    if (life.hasFaults && life.plan.trouble !== 'full') end = 'power'
    if (life.hasStopped) this.#noteEnd('stop', life)
    if (!life.hasStopped || this.#random.chance(0.5)) this.#noteEnd(end, life)
  }

  #noteEnd(end: End, life: RunningLife): void {
    this.#noteRecoveryPoints()
    if (end === 'power') this.#disk.losePower()
    if (end === 'power' || life.hasFaults) this.#idempotent.expectLoss()
    else this.#idempotent.expectRestart()
    this.#guests.crashed(end, life.hasStopped, life.hasFaults)
    for (const { incarnation } of this.#topics) {
      for (const model of incarnation?.partitions ?? []) {
        model.crashed(end, life.endedMs, !life.hasFaults)
      }
    }
  }

  /** What a recovery-point checkpoint says is durable must be. */
  #noteRecoveryPoints(): void {
    for (const directory of this.#directories) {
      const points = readCheckpoint(this.#disk, `${directory}/recovery-point-offset-checkpoint`)
      this.#guests.noteRecoveryPoints(points)
      for (const { topic, partition, offset } of points) {
        const found = this.#topics.find(({ name }) => name === topic)?.usable
        const model = found?.isBeingDeleted ? undefined : found?.partitions[partition]
        // What was below the log start offset needs not be durable.
        if (model === undefined || model.hasRetention || offset <= model.maxLogStart) continue
        model.durableEnd = Math.max(model.durableEnd, offset)
      }
    }
  }
}

/** What the broker's start or a background task may fail with when the disk does. */
function isOperatingError(error: unknown): boolean {
  if (error instanceof DiskError || error instanceof KafkaError) return true
  if (error instanceof MetadataError) return true
  return error instanceof Error && error.message === 'All log directories have failed'
}
