/**
 * The clients that a test cluster has of its own. They try again soon, since nothing is far away,
 * and keep the process alive for as long as a call of theirs is under way and no longer.
 */

import {
  Admin,
  type ClientEnvironment,
  Consumer,
  type ConsumerOptions,
  Producer,
  type ProducerRecord,
  type RecordMetadata,
} from '../clients/index.ts'
import { SystemClock } from '../common/clock.ts'
import { silentLogger } from '../common/logger.ts'
import { SystemRandom } from '../common/random.ts'
import { SystemNetwork } from '../common/system-network.ts'
import { OWN_CLIENT_ID } from './faults.ts'
import type { KeepAlive } from './keep-alive.ts'

/** What a test may give as a record's value: anything but text and bytes becomes JSON. */
export type TestValue = string | Uint8Array | object | number | boolean

export class OwnClients {
  readonly keepAlive: KeepAlive
  /** The machine, where neither timers nor sockets do that. */
  readonly #environment: ClientEnvironment = {
    clock: new SystemClock(),
    network: new SystemNetwork({ keepsAlive: false }),
    random: new SystemRandom(),
    log: silentLogger,
    diagnostics: { channel: () => ({ hasSubscribers: false, publish() {} }) },
  }
  readonly #bootstrapServers: () => string
  #admin: Admin | undefined
  #producer: Producer<string | Uint8Array, TestValue> | undefined

  constructor(keepAlive: KeepAlive, bootstrapServers: () => string) {
    this.keepAlive = keepAlive
    this.#bootstrapServers = bootstrapServers
  }

  /** All timers of an admin client belong to its calls. */
  get admin(): Admin {
    this.#admin ??= new Admin(this.#config(), { ...this.#environment, clock: this.keepAlive.clock })
    return this.#admin
  }

  /** A new consumer, which its user has to close. To be used within `keepAlive`. */
  consumer<Key, Value>(options: ConsumerOptions<Key, Value>): Consumer<Key, Value> {
    const config = { ...this.#config(), fetchMaxWaitMs: 10, allowAutoCreateTopics: false }
    return new Consumer<Key, Value>({ ...config, ...options }, this.#environment)
  }

  /** Sends records, in order. Rejects with KafkaError. */
  async produce(
    records: readonly ProducerRecord<string | Uint8Array, TestValue>[],
  ): Promise<RecordMetadata[]> {
    const config = { ...this.#config(), lingerMs: 0, valueSerializer: serialize }
    this.#producer ??= new Producer<string | Uint8Array, TestValue>(config, this.#environment)
    const producer = this.#producer
    return await this.keepAlive.during(() => {
      return Promise.all(records.map((record) => producer.send(record)))
    })
  }

  /** Closes them; they are made anew when they are next asked for. */
  async close(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    this.#admin?.close()
    this.#admin = undefined
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
