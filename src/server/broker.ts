/**
 * A broker: an object that can be started and stopped, of which a process may have several. What it
 * touches of the world comes in through its constructor; what it is made of is put together here.
 *
 * Start: claim the folders, open the metadata, load the logs (recovering them after a crash), bind
 * the ports, register, become the controller, lead the partitions, serve. Clients that connect early
 * wait in the listen backlog; from the first answer on every partition has its leader.
 */
import { type Clock, scheduleEvery, type Timer } from '../common/clock.ts'
import { type BrokerConfig, brokerEndpoints } from '../common/config/broker-config.ts'
import { parseConnectionOverrides } from '../common/config/listeners.ts'
import type { Disk } from '../common/disk.ts'
import { type Logger, withPrefix } from '../common/logger.ts'
import type { Network } from '../common/network.ts'
import type { Random } from '../common/random.ts'
import { SlabPool } from '../common/slab.ts'
import { EmbeddedStore } from '../metadata/embedded-store.ts'
import { ensurePath, isMetadataError, type MetadataStore } from '../metadata/metadata-store.ts'
import {
  decodeClusterId,
  type EndPoint,
  encodeBroker,
  encodeClusterId,
  PERSISTENT_PATHS,
  paths,
} from '../metadata/znodes.ts'
import { LogManager } from '../storage/log-manager.ts'
import { adoptForeignLogs } from './adopt-logs.ts'
import type { BrokerServices } from './broker-services.ts'
import { ConfigRepository, logConfigOf } from './config-repository.ts'
import { ConnectionLimits } from './connection-limits.ts'
import { type Controller, currentController } from './controller/controller.ts'
import { FetchSessions } from './fetch-session.ts'
import { createHandlers } from './handlers/index.ts'
import { LocalControlChannel } from './local-control-channel.ts'
import { MetadataCache } from './metadata-cache.ts'
import { ProducerIds } from './producer-ids.ts'
import { ReplicaManager } from './replica-manager.ts'
import { RequestDispatcher } from './request-dispatcher.ts'
import type { SocketServer } from './socket-server.ts'
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
  /** Overwrite memory that is not in use, so that a use after release shows. For tests. */
  readonly poisonMemory?: boolean
  /** Called when the broker cannot go on: its metadata or all its log folders have failed. */
  readonly onFatal?: (error: Error) => void
}

/** The parts of a running broker, in the order in which they are started. */
interface Parts {
  store: MetadataStore
  services: BrokerServices
  controller: Controller
  socketServer: SocketServer
  ports: ReadonlyMap<string, number>
  highWatermarkTimer: Timer
}

/** Memory for the newest batches, which consumers at the tail read without touching the disk. */
const TAIL_CACHE_BYTES = 32 * 1024 * 1024

export class Broker {
  readonly #options: BrokerOptions
  #log: Logger
  #parts: Parts | undefined
  /** What has to be undone, last first, when the start fails or the broker stops. */
  readonly #cleanUp: (() => Promise<void> | void)[] = []
}
