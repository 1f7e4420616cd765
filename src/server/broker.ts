/**
 * A broker: an object that can be started and stopped, of which a process may have several. What it
 * touches of the world comes in through its constructor; what it is made of is put together here.
 *
 * Start: claim the folders, open the metadata, load the logs (recovering them after a crash), bind
 * the ports, register, become the controller, lead the partitions, serve. Clients that connect
 * early wait in the listen backlog; from the first answer on every partition has its leader.
 */
import { type Clock, scheduleEvery, sleep } from '../common/clock.ts'
import { type BrokerConfig, brokerEndpoints } from '../common/config/broker-config.ts'
import { parseConnectionOverrides } from '../common/config/listeners.ts'
import type { Disk } from '../common/disk.ts'
import type { Logger } from '../common/logger.ts'
import type { Network } from '../common/network.ts'
import type { Random } from '../common/random.ts'
import { SlabPool } from '../common/slab.ts'
import { EmbeddedStore } from '../metadata/embedded-store.ts'
import {
  ANY_VERSION,
  ensurePaths,
  isMetadataError,
  type MetadataStore,
} from '../metadata/metadata-store.ts'
import {
  decodeClusterId,
  decodeTopic,
  type EndPoint,
  encodeBroker,
  encodeClusterId,
  PERSISTENT_PATHS,
  paths,
} from '../metadata/znodes.ts'
import { LogManager } from '../storage/log-manager.ts'
import { adoptForeignLogs, warnOfUnknownLogs } from './adopt-logs.ts'
import type { BrokerServices } from './broker-services.ts'
import { cleanerSettingsOf } from './cleaner-settings.ts'
import { ConfigRepository, logConfigOf } from './config-repository.ts'
import { ConnectionLimits } from './connection-limits.ts'
import { Controller, currentController } from './controller/controller.ts'
import { createCoordinators } from './coordinators.ts'
import { Features } from './features.ts'
import { FetchSessions } from './fetch-session.ts'
import { createHandlers } from './handlers/index.ts'
import { LocalControlChannel } from './local-control-channel.ts'
import { MetadataCache } from './metadata-cache.ts'
import { ProducerIds } from './producer-ids.ts'
import { ClientQuotas } from './quotas/client-quotas.ts'
import { QuotaManager } from './quotas/quota-manager.ts'
import { ReplicaManager } from './replica-manager.ts'
import { RequestDispatcher } from './request-dispatcher.ts'
import type { RequestInterceptor } from './request-interceptor.ts'
import { type ListenerConfig, SocketServer } from './socket-server.ts'
import { ClientTelemetry } from './telemetry/client-telemetry.ts'
import {
  LOGGING_RECEIVER,
  loggingReceiver,
  type TelemetryReceiver,
} from './telemetry/telemetry-receiver.ts'
import { TopicAdmin } from './topic-admin.ts'

export interface BrokerOptions {
  readonly config: BrokerConfig
  readonly disk: Disk
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** The machine's name, which is advertised for a listener without a host. */
  readonly hostName?: string
  /**
   * Memory for the newest batches, which consumers at the tail read without touching the disk. 0:
   * none. 32 MiB unless given.
   */
  readonly tailCacheBytes?: number
  /** The id of a cluster that is new; one of its own making unless given. */
  readonly clusterId?: string
  /** Where metrics of clients go (KIP-714); else `metric.reporters` may name a receiver. */
  readonly telemetryReceiver?: TelemetryReceiver
  /** Deals with requests in the handlers' place. For tests of clients. */
  readonly interceptor?: RequestInterceptor
  /** Overwrite memory that is not in use, so that a use after release shows. For tests. */
  readonly poisonMemory?: boolean
  /** Called when the broker cannot go on: its metadata or all its log folders have failed. */
  readonly onFatal?: (error: Error) => void
}

const TAIL_CACHE_BYTES = 32 * 1024 * 1024

/** How long a broker that stops lets requests go on. */
const DRAIN_MS = 2000

/** The broker id where neither the configuration nor the data folder names one. */
const FIRST_BROKER_ID = 1

export class Broker {
  readonly #options: BrokerOptions
  readonly #log: Logger
  /** What has to be undone when the broker stops, or its start fails: the last first. */
  readonly #undo: (() => unknown)[] = []
  #replicaManager: ReplicaManager | undefined
  #ports: ReadonlyMap<string, number> = new Map()
  #services: BrokerServices | undefined

  constructor(options: BrokerOptions) {
    this.#options = options
    this.#log = options.log
  }

  /** The ports listened on, by listener name. */
  get ports(): ReadonlyMap<string, number> {
    return this.#ports
  }

  /** Where clients reach the broker: `host:port` of each advertised listener. */
  get addresses(): string[] {
    const { metadata, brokerId } = this.services
    const endPoints = metadata.brokers.get(brokerId)?.endPoints ?? []
    return endPoints.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
  }

  /** `log.dirs` */
  get logDirs(): readonly string[] {
    return logDirsOf(this.#options.config)
  }

  /** The parts of the running broker. */
  get services(): BrokerServices {
    if (this.#services === undefined) throw new Error('the broker is not running')
    return this.#services
  }

  /**
   * Starts to serve. Rejects with DiskError (a folder cannot be used, or another broker has it:
   * LOCKED), NetworkError (a port is taken) or ConfigError; then nothing is left running.
   */
  async start(): Promise<void> {
    try {
      await this.#start()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /**
   * Stops in order: finishes requests, flushes the logs and marks the folders as cleanly closed.
   */
  async stop(): Promise<void> {
    if (this.#services !== undefined) this.#log.info('shutting down')
    for (const undo of this.#undo.splice(0).reverse()) await undo()
    if (this.#services !== undefined) this.#log.info('shut down completed')
    this.#services = undefined
  }

  async #start(): Promise<void> {
    const { config, clock, random } = this.#options
    const log = this.#log
    const slabs = new SlabPool({ poison: this.#options.poisonMemory ?? false })
    const configs = new ConfigRepository(config)
    const logManager = this.#createLogManager(slabs, configs)
    this.#undo.push(() => logManager.close())
    const [claimed] = (await logManager.claim()).values()
    const brokerId = this.#chooseBrokerId(claimed?.brokerId)
    const store = await this.#openStore()
    const storedClusterId = await readClusterId(store)
    const newId = () => random.bytes(16).toString('base64url')
    const { clusterId: givenId } = this.#options
    const clusterId = storedClusterId ?? claimed?.clusterId ?? givenId ?? newId()
    await configs.load(store, brokerId)
    await logManager.load({ clusterId, brokerId }, await readTopicIds(store))

    const metadata = new MetadataCache(clusterId)
    const replicaManager = new ReplicaManager({ brokerId, clock, logManager, configs, log })
    this.#replicaManager = replicaManager
    this.#undo.push(() => replicaManager.shutDown())
    const channel = new LocalControlChannel({ replicaManager, metadata, configs })
    const controller = this.#createController({ brokerId, store, channel, newId })
    const topics = new TopicAdmin({ config, configs, controller, log })
    const clientQuotas = new ClientQuotas()
    const quotas = new QuotaManager({ quotas: clientQuotas, clock, config })
    await clientQuotas.load(store)
    const features = new Features({ brokerId })
    await features.load(store)
    const maxSessions = config.get('max.incremental.fetch.session.cache.slots')
    const producerIds = new ProducerIds({ store, brokerId })
    const coordinators = createCoordinators({
      ...{ clock, random, log, config, configs, replicaManager, metadata, topics, producerIds },
    })
    this.#undo.push(() => coordinators.internalTopics.unloadAll())
    const upkeep = coordinators.shareCoordinator.start()
    this.#undo.push(() => upkeep.cancel())
    const services: BrokerServices = {
      ...coordinators,
      ...{ brokerId, clock, log, config, configs, metadata, replicaManager, logManager, topics },
      fetchSessions: new FetchSessions({ clock, random, maxSessions }),
      producerIds,
      ...{ clientQuotas, quotas, features },
      telemetry: this.#createTelemetry(configs),
      clientSoftware: new WeakMap(),
    }
    const socketServer = await this.#bind(slabs, services)
    await this.#register(brokerId, store)
    await this.#takeControl(controller, store)
    if (storedClusterId === undefined) {
      // The id is written last: until then the store counts as new, also if this is interrupted.
      await adoptForeignLogs({ logs: logManager.logs(), ...{ metadata, brokerId, topics, log } })
      await writeClusterId(store, clusterId)
    }
    warnOfUnknownLogs(logManager.logs(), metadata, log)
    this.#followChanges(services)
    this.#followListeners(socketServer, services, store, controller)
    logManager.start()
    this.#services = services
    socketServer.acceptRequests()
    this.#undo.push(() => drain(socketServer, services))
    this.#announce(services)
  }

  #createLogManager(slabs: SlabPool, configs: ConfigRepository): LogManager {
    const { config, clock, disk, random } = this.#options
    return new LogManager({
      ...{ clock, disk, random, slabs, logger: this.#log },
      directories: this.logDirs,
      configOf: (topic) => logConfigOf(configs.topic(topic)),
      tailCacheBytes: this.#options.tailCacheBytes ?? TAIL_CACHE_BYTES,
      intervals: {
        retentionCheckMs: config.get('log.retention.check.interval.ms'),
        recoveryPointCheckpointMs: config.get('log.flush.offset.checkpoint.interval.ms'),
        logStartOffsetCheckpointMs: config.get('log.flush.start.offset.checkpoint.interval.ms'),
        flushCheckMs: config.get('log.flush.scheduler.interval.ms'),
        producerExpirationCheckMs: config.get('producer.id.expiration.check.interval.ms'),
      },
      producerIdExpirationMs: () => config.get('producer.id.expiration.ms'),
      recoveryConcurrency: config.get('num.recovery.threads.per.data.dir'),
      cleaner: () => cleanerSettingsOf(config),
      isCleanerEnabled: config.get('log.cleaner.enable'),
      onDirectoryFailure: ({ logs, remaining, path, error }) => {
        this.#replicaManager?.logDirectoryFailed(logs)
        if (remaining > 0) return
        const cause = { cause: error }
        this.#options.onFatal?.(new Error(`no log directory is left: ${path} has failed`, cause))
      },
    })
  }

  #createTelemetry({ clientMetrics }: ConfigRepository): ClientTelemetry | undefined {
    const { config, clock, random } = this.#options
    const isLogged = config.get('metric.reporters').includes(LOGGING_RECEIVER)
    const receiver =
      this.#options.telemetryReceiver ?? (isLogged ? loggingReceiver(this.#log) : undefined)
    if (receiver === undefined) return undefined
    return new ClientTelemetry({
      ...{ subscriptions: clientMetrics, receiver, clock, random, log: this.#log },
      maxBytes: config.get('telemetry.max.bytes'),
    })
  }

  #chooseBrokerId(claimed: number | undefined): number {
    const configured = this.#options.config.get('node.id')
    return configured === -1 ? (claimed ?? FIRST_BROKER_ID) : configured
  }

  async #openStore(): Promise<MetadataStore> {
    const { disk, clock } = this.#options
    const service = await EmbeddedStore.open({
      disk,
      clock,
      directory: this.logDirs[0]!,
      onFailure: (error) => this.#options.onFatal?.(error),
    })
    this.#undo.push(() => service.close())
    const store = await service.openSession()
    await ensurePaths(store, PERSISTENT_PATHS)
    return store
  }

  #createController(options: {
    brokerId: number
    store: MetadataStore
    channel: LocalControlChannel
    newId: () => string
  }): Controller {
    const { config, clock, random } = this.#options
    const { brokerId, store, channel, newId } = options
    return new Controller({
      ...{ brokerId, store, clock, random, log: this.#log },
      channel: (id) => (id === brokerId ? channel : undefined),
      defaults: () => ({
        partitions: config.get('num.partitions'),
        replicationFactor: config.get('default.replication.factor'),
      }),
      newTopicId: newId,
    })
  }

  async #bind(slabs: SlabPool, services: BrokerServices): Promise<SocketServer> {
    const { config, clock, network, interceptor } = this.#options
    const limits = new ConnectionLimits(() => ({
      maxConnections: config.get('max.connections'),
      maxConnectionsPerIp: config.get('max.connections.per.ip'),
      overrides: parseConnectionOverrides(config.get('max.connections.per.ip.overrides')),
    }))
    const maxIdleMs = config.get('connections.max.idle.ms')
    const socketServer = new SocketServer({
      ...{ network, clock, limits, log: this.#log, pool: slabs },
      dispatcher: new RequestDispatcher(createHandlers(services), services, interceptor),
      backlog: config.get('socket.listen.backlog.size'),
      maxFrameBytes: config.get('socket.request.max.bytes'),
      maxIdleMs: maxIdleMs < 0 ? Number.POSITIVE_INFINITY : maxIdleMs,
    })
    this.#undo.push(() => socketServer.close())
    this.#ports = await socketServer.bind(listenersOf(config))
    return socketServer
  }

  /** Follows changes of `listeners` and what goes with it, one after the other. */
  #followListeners(
    socketServer: SocketServer,
    { config, brokerId }: BrokerServices,
    store: MetadataStore,
    controller: Controller,
  ): void {
    let last = Promise.resolve()
    const rebind = async () => {
      try {
        this.#ports = await socketServer.rebind(listenersOf(config))
        await store.set(paths.broker(brokerId), this.#registration(), ANY_VERSION)
        await controller.refreshBroker(brokerId)
        this.#log.info(`Listening on ${this.addresses.join(', ')} from now on`)
      } catch (error) {
        this.#log.error(`Cannot listen on ${config.get('listeners')}`, error)
      }
    }
    this.#undo.push(
      config.onChange((changed) => {
        if (!LISTENER_KEYS.some((key) => changed.has(key))) return
        last = last.then(rebind)
      }),
    )
  }

  /** Enters this broker into the metadata, for as long as its session lasts. */
  async #register(brokerId: number, store: MetadataStore): Promise<void> {
    await store.create(paths.broker(brokerId), this.#registration(), { ephemeral: true })
  }

  /** What others are to know of this broker. */
  #registration(): Buffer {
    const { config, clock } = this.#options
    const endPoints = brokerEndpoints(config).advertised.map((endPoint): EndPoint => {
      const { listenerName, securityProtocol, host, port } = endPoint
      return {
        ...{ listenerName, securityProtocol },
        host: host === '' ? (this.#options.hostName ?? 'localhost') : host,
        port: port === 0 ? this.#ports.get(listenerName)! : port,
      }
    })
    const registration = { endPoints, rack: config.get('broker.rack') }
    return encodeBroker(registration, clock.now())
  }

  async #takeControl(controller: Controller, store: MetadataStore): Promise<void> {
    this.#undo.push(() => controller.resign())
    if (await controller.elect()) return
    throw new Error(`broker ${await currentController(store)} is the controller of this store`)
  }

  /** Lets changed settings reach those who keep something made from them. */
  #followChanges({ config, configs, logManager }: BrokerServices): void {
    configs.onTopicChange((topic) => logManager.updateConfig(topic))
    this.#undo.push(
      config.onChange(() => {
        for (const topic of new Set(logManager.logs().map((log) => log.topic))) {
          logManager.updateConfig(topic)
        }
      }),
    )
    const { clock } = this.#options
    const periodMs = config.get('replica.high.watermark.checkpoint.interval.ms')
    const checkpoint = scheduleEvery(clock, periodMs, () => {
      void logManager.checkpointHighWatermarks()
    })
    this.#undo.push(() => checkpoint.cancel())
  }

  #announce({ brokerId, config }: BrokerServices): void {
    const unknown = config.unknownKeys
    if (unknown.length > 0) {
      const keys = unknown.join(', ')
      this.#log.warn(`These configurations '[${keys}]' were supplied but are not used yet.`)
    }
    this.#log.info(`Kafka Server started, listening on ${this.addresses.join(', ')}`)
    this.#log.info(`[KafkaServer id=${brokerId}] started`)
  }
}

/** Settings that decide where the broker listens, or what it says of that. */
const LISTENER_KEYS = ['listeners', 'listener.security.protocol.map']

function listenersOf(config: BrokerConfig): ListenerConfig[] {
  return brokerEndpoints(config).listeners.map(({ listenerName, host, port }) => ({
    ...{ name: listenerName, host, port },
  }))
}

function logDirsOf(config: BrokerConfig): readonly string[] {
  return config.get('log.dirs') ?? config.get('log.dir')
}

async function readClusterId(store: MetadataStore): Promise<string | undefined> {
  try {
    return decodeClusterId((await store.get(paths.clusterId)).data)
  } catch (error) {
    if (isMetadataError(error, 'NO_NODE')) return undefined
    throw error
  }
}

/** The id of each topic that there is. */
async function readTopicIds(store: MetadataStore): Promise<Map<string, string>> {
  const topicIds = new Map<string, string>()
  for (const name of (await store.children(paths.topics)).names) {
    const { topicId } = decodeTopic((await store.get(paths.topic(name))).data)
    if (topicId !== undefined) topicIds.set(name, topicId)
  }
  return topicIds
}

async function writeClusterId(store: MetadataStore, clusterId: string): Promise<void> {
  await store.create(paths.clusterId, encodeClusterId(clusterId))
}

/** Hears nobody any more, answers what waits, and lets other requests end, for a while. */
async function drain(
  socketServer: SocketServer,
  { replicaManager, internalTopics, sharePartitions, clock }: BrokerServices,
): Promise<void> {
  await socketServer.stopListening()
  socketServer.stopReading()
  sharePartitions.shutDown()
  internalTopics.unloadAll()
  replicaManager.shutDown()
  for (let waited = 0; waited < DRAIN_MS && socketServer.hasPendingRequests; waited += 10) {
    await sleep(clock, 10)
  }
}
