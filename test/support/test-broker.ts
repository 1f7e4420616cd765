/**
 * A broker on the real machine for tests: any free port of loopback, data in a temporary folder.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SystemClock } from '../../src/common/clock.ts'
import { createBrokerConfig } from '../../src/common/config/broker-config.ts'
import { LineLogger } from '../../src/common/logger.ts'
import { SystemRandom } from '../../src/common/random.ts'
import { SystemDisk } from '../../src/common/system-disk.ts'
import { SystemNetwork } from '../../src/common/system-network.ts'
import { Broker } from '../../src/server/broker.ts'
import { TestClient } from './test-client.ts'

export class TestBroker {
  readonly folder: string
  readonly #settings: Readonly<Record<string, string>>
  #broker: Broker | undefined
  readonly #clients: TestClient[] = []
  /** What the broker logged, warnings and errors only. */
  readonly logLines: string[] = []

  private constructor(folder: string, settings: Readonly<Record<string, string>>) {
    this.folder = folder
    this.#settings = settings
  }

  static async start(settings: Record<string, string> = {}): Promise<TestBroker> {
    const broker = new TestBroker(mkdtempSync(join(tmpdir(), 'samsa-test-')), settings)
    await broker.open()
    return broker
  }

  get broker(): Broker {
    if (this.#broker === undefined) throw new Error('the broker is not running')
    return this.#broker
  }

  get port(): number {
    return this.broker.ports.get('PLAINTEXT')!
  }

  /** Starts the broker on its folder, after `close`. */
  async open(): Promise<void> {
    const clock = new SystemClock()
    const entries = {
      'node.id': '1',
      listeners: 'PLAINTEXT://127.0.0.1:0',
      'log.dirs': join(this.folder, 'data'),
      ...this.#settings,
    }
    const broker = new Broker({
      config: createBrokerConfig(new Map(Object.entries(entries))),
      clock,
      disk: new SystemDisk(),
      network: new SystemNetwork(),
      random: new SystemRandom(),
      log: new LineLogger({ clock, level: 'warn', sink: (line) => this.logLines.push(line) }),
      poisonMemory: true,
    })
    await broker.start()
    this.#broker = broker
  }

  async connect(): Promise<TestClient> {
    const client = await TestClient.connect(this.port)
    this.#clients.push(client)
    return client
  }

  /** Stops the broker in order; its folder stays. */
  async close(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close()
    await this.#broker?.stop()
    this.#broker = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
