/** What a running broker is made of, as its request handlers see it. */
import type { Clock } from '../common/clock.ts'
import type { BrokerConfig } from '../common/config/broker-config.ts'
import type { Logger } from '../common/logger.ts'
import type { ServerConnection } from '../network/server-connection.ts'
import type { LogManager } from '../storage/log-manager.ts'
import type { ConfigRepository } from './config-repository.ts'
import type { Coordinators } from './coordinators.ts'
import type { Features } from './features.ts'
import type { FetchSessions } from './fetch-session.ts'
import type { MetadataCache } from './metadata-cache.ts'
import type { ProducerIds } from './producer-ids.ts'
import type { ClientQuotas } from './quotas/client-quotas.ts'
import type { QuotaManager } from './quotas/quota-manager.ts'
import type { ReplicaManager } from './replica-manager.ts'
import type { ClientTelemetry } from './telemetry/client-telemetry.ts'
import type { TopicAdmin } from './topic-admin.ts'

export interface BrokerServices extends Coordinators {
  readonly brokerId: number
  readonly clock: Clock
  readonly log: Logger
  readonly config: BrokerConfig
  readonly configs: ConfigRepository
  readonly metadata: MetadataCache
  readonly replicaManager: ReplicaManager
  readonly logManager: LogManager
  readonly fetchSessions: FetchSessions
  readonly producerIds: ProducerIds
  readonly topics: TopicAdmin
  readonly features: Features
  /** What clients have said they are, by connection (KIP-511). */
  readonly clientSoftware: WeakMap<ServerConnection, { name: string; version: string }>
  /** Undefined where nobody receives metrics of clients. */
  readonly telemetry: ClientTelemetry | undefined
  readonly clientQuotas: ClientQuotas
  readonly quotas: QuotaManager
}
