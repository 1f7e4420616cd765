/**
 * A broker of a test cluster: it can be killed, started again and held up, as a process on a server
 * could be, while its ports and what it has written stay its own.
 */
import { ConfigError, IllegalStateError } from '../clients/index.ts'
import type { BrokerConfig } from '../common/config/broker-config.ts'
import type { Random } from '../common/random.ts'
import { Broker } from '../server/broker.ts'
import type { BrokerServices } from '../server/broker-services.ts'
import type { RequestInterceptor } from '../server/request-interceptor.ts'
import type { KeepAlive } from './keep-alive.ts'
import { BrokerProcess, type Machine } from './process/broker-process.ts'
import { Ports } from './process/ports.ts'
import type { BrokerState, TestBroker } from './test-broker.ts'

export interface EmbeddedBrokerOptions {
  readonly id: number
  readonly machine: Machine
  readonly random: Random
  /** Made anew for each life, as by a process that reads its file. */
  readonly config: () => BrokerConfig
  /** Undefined: a new one, or what the folder says. */
  readonly clusterId: string | undefined
  readonly interceptor: RequestInterceptor
  readonly keepAlive: KeepAlive
}

/** Memory for the newest batches. The whole log is in memory, or else a test's is small. */
const TAIL_CACHE_BYTES = 1024 * 1024

interface Life {
  readonly broker: Broker
  readonly process: BrokerProcess
}

export class EmbeddedBroker implements TestBroker {
  readonly #options: EmbeddedBrokerOptions
  readonly #ports: Ports
  #life: Life | undefined
  #address = ''

  constructor(options: EmbeddedBrokerOptions) {
    this.#options = options
    this.#ports = new Ports(options.machine.network)
  }

  get id(): number {
    return this.#options.id
  }

  get address(): string {
    return this.#address
  }

  get state(): BrokerState {
    if (this.#life === undefined) return 'stopped'
    return this.#life.process.isFrozen ? 'paused' : 'running'
  }

  async kill(): Promise<void> {
    this.#end()
  }

  async stop(): Promise<void> {
    const life = this.#life
    if (life === undefined) return
    // A process that is held up does not hear that it is to stop.
    if (!life.process.isFrozen) {
      await this.#options.keepAlive.during(() => life.broker.stop())
    }
    this.#end()
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  async pause(): Promise<void> {
    this.#running.process.freeze()
  }

  async resume(): Promise<void> {
    this.#life?.process.thaw()
  }

  /** The parts of the broker. Throws IllegalStateError while it is stopped. */
  get services(): BrokerServices {
    return this.#running.broker.services
  }

  /** Starts a broker that is stopped. Rejects as `Broker.start`, or with ConfigError. */
  async start(): Promise<void> {
    const { machine, random, interceptor, clusterId } = this.#options
    const process = new BrokerProcess(machine, this.#ports)
    const { clock, disk, network, log } = process
    const broker = new Broker({
      ...{ config: this.#options.config(), clock, disk, network, random, log, interceptor },
      ...(clusterId === undefined ? {} : { clusterId }),
      tailCacheBytes: TAIL_CACHE_BYTES,
      onFatal: (error) => {
        log.error('the broker cannot go on', error)
        this.#end()
      },
    })
    this.#life = { broker, process }
    try {
      await this.#options.keepAlive.during(() => broker.start())
      this.#checkClusterId(broker)
    } catch (error) {
      this.#end()
      throw error
    }
    this.#address = broker.addresses.join(',')
  }

  /** Stops the broker for good and gives its ports back. */
  async dispose(): Promise<void> {
    try {
      await this.stop()
    } finally {
      await this.#ports.release()
    }
  }

  get #running(): Life {
    if (this.#life !== undefined) return this.#life
    throw new IllegalStateError(`Broker ${this.id} is not running`)
  }

  #end(): void {
    this.#life?.process.kill()
    this.#life = undefined
  }

  #checkClusterId(broker: Broker): void {
    const { clusterId } = this.#options
    const found = broker.services.metadata.clusterId
    if (clusterId === undefined || found === clusterId) return
    throw new ConfigError(`The folder is one of cluster ${found}, not of ${clusterId}`)
  }
}
