/**
 * The clients that a test cluster has of its own. They try again soon, since nothing is far away,
 * and keep the process alive for as long as a call of theirs is under way and no longer: sockets do
 * not, but the timer of a call's time limit does.
 */

import { ClusterClient } from '../clients/cluster/cluster-client.ts'
import { ADMIN_CONFIG } from '../clients/config/admin-config.ts'
import { readClientConfig } from '../clients/config/client-config.ts'
import {
  Admin,
  type ClientEnvironment,
  Producer,
  type ProducerRecord,
  type RecordMetadata,
} from '../clients/index.ts'
import { SystemClock } from '../common/clock.ts'
import { silentLogger } from '../common/logger.ts'
import { SystemRandom } from '../common/random.ts'
import { SystemNetwork } from '../common/system-network.ts'
import { OWN_CLIENT_ID } from './faults.ts'

/** What a test may give as a record's value: anything but text and bytes becomes JSON. */
export type TestValue = string | Uint8Array | object | number | boolean

/** The machine, with timers that keep the process alive and sockets that do not. */
export function ownEnvironment(): ClientEnvironment {
  return {
    clock: new SystemClock({ keepsAlive: true }),
    network: new SystemNetwork({ keepsAlive: false }),
    random: new SystemRandom(),
    log: silentLogger,
    diagnostics: { channel: () => ({ hasSubscribers: false, publish() {} }) },
  }
}

export class OwnClients {
  readonly #environment: ClientEnvironment
  readonly #bootstrapServers: () => string
  #admin: Admin | undefined
  #cluster: ClusterClient | undefined
  #producer: Producer<string | Uint8Array, TestValue> | undefined

  constructor(environment: ClientEnvironment, bootstrapServers: () => string) {
    this.#environment = environment
    this.#bootstrapServers = bootstrapServers
  }

  get admin(): Admin {
    this.#admin ??= new Admin(this.#config(), this.#environment)
    return this.#admin
  }

  get cluster(): ClusterClient {
    this.#cluster ??= new ClusterClient({
      config: readClientConfig(ADMIN_CONFIG, this.#config()),
      environment: this.#environment,
      allowAutoTopicCreation: false,
    })
    return this.#cluster
  }

  /** Sends records, in order. Rejects with KafkaError. */
  async produce(
    records: readonly ProducerRecord<string | Uint8Array, TestValue>[],
  ): Promise<RecordMetadata[]> {
    const config = { ...this.#config(), lingerMs: 0, valueSerializer: serialize }
    // A producer has timers that are no call's, which must not keep the process alive.
    const environment = { ...this.#environment, clock: new SystemClock() }
    this.#producer ??= new Producer<string | Uint8Array, TestValue>(config, environment)
    const producer = this.#producer
    const call = this.#environment.clock.schedule(Number.POSITIVE_INFINITY, () => {})
    try {
      return await Promise.all(records.map((record) => producer.send(record)))
    } finally {
      call.cancel()
    }
  }

  /** Closes them; they are made anew when they are next asked for. */
  async close(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    this.#admin?.close()
    this.#admin = undefined
    this.#cluster?.close()
    this.#cluster = undefined
    await producer?.close({ timeoutMs: 0 })
  }

  #config() {
    return {
      bootstrapServers: this.#bootstrapServers(),
      clientId: OWN_CLIENT_ID,
      ...{ retryBackoffMs: 5, retryBackoffMaxMs: 50 },
      ...{ reconnectBackoffMs: 5, reconnectBackoffMaxMs: 50 },
    }
  }
}

function serialize(value: TestValue): Uint8Array {
  if (value instanceof Uint8Array) return value
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
}
