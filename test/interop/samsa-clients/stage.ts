/** The broker that our clients are tried on, and what Java makes of the records in it. */
import { readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { Admin, type NewTopic } from '../../../src/clients/index.ts'
import { type Broker, startBroker } from '../harness/broker.ts'
import { java } from '../harness/clients.ts'
import { createWorkspace, type Workspace } from '../harness/workspace.ts'

/** Short times, so that a group settles within a test. */
const configs = {
  'group.min.session.timeout.ms': '1000',
  'group.consumer.min.session.timeout.ms': '1000',
  'group.consumer.session.timeout.ms': '5000',
  'group.consumer.min.heartbeat.interval.ms': '300',
  'group.consumer.heartbeat.interval.ms': '300',
  'group.share.min.session.timeout.ms': '1000',
  'group.share.session.timeout.ms': '3000',
  'group.share.min.heartbeat.interval.ms': '300',
  'group.share.heartbeat.interval.ms': '300',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'offsets.topic.num.partitions': '5',
  'transaction.state.log.num.partitions': '5',
}

export class Stage {
  readonly workspace: Workspace
  broker: Broker
  readonly admin: Admin
  #dumps = 0

  private constructor(workspace: Workspace, broker: Broker) {
    this.workspace = workspace
    this.broker = broker
    this.admin = new Admin(this.servers)
    workspace.onEnd(() => this.admin.close())
  }

  static async open(t: TestContext): Promise<Stage> {
    const workspace = createWorkspace(t)
    const dataFolder = workspace.path('data')
    return new Stage(workspace, await startBroker(workspace, { dataFolder, configs }))
  }

  get servers(): { bootstrapServers: string } {
    return { bootstrapServers: this.broker.address }
  }

  /** Creates topics, and waits until they can be written. */
  async createTopics(...topics: NewTopic[]): Promise<void> {
    await this.admin.createTopics(topics)
    for (const { topic } of topics) await this.admin.waitForTopic(topic)
  }

  /** SIGKILL, and the same broker again on the same port. */
  async restartBroker(): Promise<void> {
    const { port, dataFolder } = this.broker
    await this.broker.kill()
    this.broker = await startBroker(this.workspace, { dataFolder, port, configs })
  }

  /** What Java's consumer finds in partitions, as `recordLine` writes it, each in order. */
  async javaDump(topics: Record<string, number>, isolation = 'read_uncommitted') {
    this.#dumps += 1
    const path = this.workspace.path(`dump-${this.#dumps}.txt`)
    const args = Object.entries(topics).map(([topic, partitions]) => `${topic}=${partitions}`)
    await java('RecordDump', [this.broker.address, isolation, path, ...args])
    const found = new Map<string, string[]>(Object.keys(topics).map((topic) => [topic, []]))
    for (const line of readFileSync(path, 'utf8').trimEnd().split('\n')) {
      // The lines that say from where to where a partition goes have no time.
      const [place = ''] = line.split(' ', 1)
      const isRecord = / (CreateTime|LogAppendTime) /.test(line)
      const topic = place.slice(0, place.lastIndexOf('-'))
      if (isRecord) found.get(topic)!.push(line.replace(/ epoch -?\d+/, ''))
    }
    return found
  }
}

/** A record as a consumer sees it. */
export interface SeenRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly timestampType?: string
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
}

/** A record in the form of RecordDump.java. */
export function recordLine(record: SeenRecord): string {
  const { topic, partition, offset, timestamp, key, value } = record
  const headers = record.headers.map((header) => ` ${header.key}:${digest(header.value)}`)
  const data = `${digest(key)} ${digest(value)}${headers.join('')}`
  const { timestampType = 'CreateTime' } = record
  return `${topic}-${partition} ${offset} ${timestampType} ${timestamp} ${data}`
}

function digest(bytes: Uint8Array | null): string {
  if (bytes === null) return 'null'
  if (bytes.length <= 16) return `0x${Buffer.from(bytes).toString('hex')}`
  return `${bytes.length}/${crc32(bytes).toString(16)}`
}

/** Tries until it does not throw; a cluster may need a moment to know what one broker does. */
export async function soon<Result>(attempt: () => Promise<Result>): Promise<Result> {
  const limit = Date.now() + 20_000
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > limit) throw error
      await sleep(50)
    }
  }
}

/** By partition, then by offset. */
export function inOrder<Placed extends { readonly partition: number; readonly offset: number }>(
  records: Iterable<Placed>,
): Placed[] {
  return [...records].sort((a, b) => a.partition - b.partition || a.offset - b.offset)
}
