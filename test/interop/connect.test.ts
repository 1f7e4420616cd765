/**
 * A Kafka Connect worker in distributed mode, from its published jars, keeps its configuration,
 * offsets and status in topics of our broker and its membership in a group. A file goes through a
 * topic into another file while the worker is stopped, started and killed; the source writes
 * exactly once, that is in transactions that a new worker fences.
 */
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Broker, freePort, startBroker } from './harness/broker.ts'
import { signalGroup, startChild } from './harness/children.ts'
import { javaArguments } from './harness/clients.ts'
import { openToolBox, type ToolBox } from './harness/toolbox.ts'
import { createWorkspace, type Workspace } from './harness/workspace.ts'

const internalTopics = ['connect-configs', 'connect-offsets', 'connect-status']
const strings = 'org.apache.kafka.connect.storage.StringConverter'

function workerProperties(broker: Broker, port: number): string {
  return Object.entries({
    'bootstrap.servers': broker.address,
    'group.id': 'connect-cluster',
    listeners: `http://127.0.0.1:${port}`,
    'rest.advertised.host.name': '127.0.0.1',
    'key.converter': strings,
    'value.converter': strings,
    'config.storage.topic': internalTopics[0],
    'offset.storage.topic': internalTopics[1],
    'status.storage.topic': internalTopics[2],
    'config.storage.replication.factor': 1,
    'offset.storage.replication.factor': 1,
    'status.storage.replication.factor': 1,
    'offset.flush.interval.ms': 500,
    'exactly.once.source.support': 'enabled',
    // Whoever comes back within this time finds its tasks untouched: here they are needed at once.
    'scheduled.rebalance.max.delay.ms': 0,
    'session.timeout.ms': 6000,
    'heartbeat.interval.ms': 1000,
    // The sink's consumer, when its worker was killed, holds its partition for so long.
    'consumer.session.timeout.ms': 6000,
    // Without this the worker looks through every class of a hundred jars.
    'plugin.discovery': 'service_load',
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const limit = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > limit) throw new Error(`waited 60 s until ${what}`)
    await sleep(50)
  }
}

/** A worker, and what can be asked of it over HTTP. */
class Worker {
  readonly #workspace: Workspace
  readonly #port: number
  #child: ReturnType<typeof startChild> | undefined

  constructor(workspace: Workspace, broker: Broker, port: number) {
    this.#workspace = workspace
    this.#port = port
    writeFileSync(workspace.path('worker.properties'), workerProperties(broker, port))
  }

  async start(): Promise<void> {
    const path = this.#workspace.path('worker.properties')
    const args = javaArguments('org.apache.kafka.connect.cli.ConnectDistributed', [path])
    const child = startChild('java', args, { errorPath: this.#workspace.path('worker.log') })
    this.#workspace.onEnd(() => signalGroup(child.pid, 'SIGKILL'))
    this.#child = child
    await until('the worker answers', async () => {
      assert.equal(child.exited, undefined, this.#log())
      const [status] = await this.ask('GET', '/connectors').catch(() => [0])
      return status === 200
    })
  }

  #log(): string {
    return readFileSync(this.#workspace.path('worker.log'), 'utf8').slice(-3000)
  }

  /** Asks the worker; returns the HTTP status and the answer. */
  // biome-ignore lint/suspicious/noExplicitAny: it is whatever JSON the worker sends.
  async ask(method: string, path: string, body?: object): Promise<[status: number, answer: any]> {
    const response = await fetch(`http://127.0.0.1:${this.#port}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    })
    const text = await response.text()
    return [response.status, text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text]
  }

  async create(name: string, config: object): Promise<void> {
    const [status, answer] = await this.ask('POST', '/connectors', { name, config })
    assert.equal(status, 201, JSON.stringify(answer))
  }

  /** Waits until a connector and its only task are in a state. */
  async untilState(name: string, state: 'RUNNING' | 'PAUSED'): Promise<void> {
    let last: unknown
    const isThere = async (): Promise<boolean> => {
      const [, answer] = await this.ask('GET', `/connectors/${name}/status`)
      last = answer
      const states = [
        answer.connector?.state,
        ...(answer.tasks ?? []).map((task: typeof answer) => task.state),
      ]
      assert.ok(!states.includes('FAILED'), JSON.stringify(answer))
      return states.length === 2 && states.every((at) => at === state)
    }
    await until(`${name} is ${state}`, isThere).catch((error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last)}`)
    })
  }

  async stop(): Promise<void> {
    this.#child?.process.kill('SIGTERM')
    const exit = await this.#child?.exit
    // A JVM that SIGTERM ended says 128 + 15.
    assert.equal(exit?.code, 143, this.#log())
  }

  async kill(): Promise<void> {
    this.#child?.process.kill('SIGKILL')
    await this.#child?.exit
  }
}

/** What a consumer that reads only what is committed sees of the topic. */
async function committedLines(tools: ToolBox): Promise<string[]> {
  const output = await tools.succeed('kafka-console-consumer', [
    ...['--topic', 'lines', '--from-beginning', '--timeout-ms', '2000'],
    ...['--command-property', 'isolation.level=read_committed'],
  ])
  return output.split('\n').filter((line) => line.startsWith('line '))
}

/** Looks at the source's offsets, pauses, resumes and deletes it. */
async function manage(worker: Worker, source: string): Promise<void> {
  const [, { offsets }] = await worker.ask('GET', '/connectors/source/offsets')
  assert.deepEqual(offsets, [
    { partition: { filename: source }, offset: { position: readFileSync(source).length } },
  ])
  await worker.ask('PUT', '/connectors/source/pause')
  await worker.untilState('source', 'PAUSED')
  await worker.ask('PUT', '/connectors/source/resume')
  await worker.untilState('source', 'RUNNING')
  const [status] = await worker.ask('DELETE', '/connectors/source')
  assert.equal(status, 204)
  await until('the connector is gone', async () => {
    const [gone] = await worker.ask('GET', '/connectors/source/status')
    return gone === 404
  })
}

test('a file through Kafka Connect into another', { timeout: 300_000 }, async (t) => {
  const workspace = createWorkspace(t)
  const broker = await startBroker(workspace, { dataFolder: workspace.path('data') })
  const tools = openToolBox(workspace, broker.address)
  const worker = new Worker(workspace, broker, await freePort())
  const source = workspace.path('source.txt')
  const sink = workspace.path('sink.txt')
  const written: string[] = []
  const write = (count: number): void => {
    const lines = Array.from({ length: count }, (_, index) => `line ${written.length + index}`)
    written.push(...lines)
    appendFileSync(source, `${lines.join('\n')}\n`)
  }
  const arrived = (): string[] =>
    existsSync(sink) ? readFileSync(sink, 'utf8').split('\n').slice(0, -1) : []

  await t.test('source and sink are RUNNING and carry the lines', async () => {
    await worker.start()
    write(1_000)
    const one = { 'tasks.max': '1', topic: 'lines', file: source }
    await worker.create('source', { 'connector.class': 'FileStreamSource', ...one })
    const other = { 'tasks.max': '1', topics: 'lines', file: sink }
    await worker.create('sink', { 'connector.class': 'FileStreamSink', ...other })
    await worker.untilState('source', 'RUNNING')
    await worker.untilState('sink', 'RUNNING')
    await until('all lines have arrived', () => arrived().length >= written.length)
    assert.deepEqual(arrived(), written)
  })
  await t.test('the internal topics are compacted', async () => {
    for (const topic of internalTopics) {
      const described = await tools.succeed('kafka-topics', ['--describe', '--topic', topic])
      assert.match(described, /cleanup\.policy=compact[,\n]/, topic)
    }
  })
  await t.test('a worker that is restarted resumes', async () => {
    await worker.stop()
    write(1_000)
    await worker.start()
    await worker.untilState('source', 'RUNNING')
    await worker.untilState('sink', 'RUNNING')
    await until('all lines have arrived', () => arrived().length >= written.length)
    assert.deepEqual(arrived(), written)
  })
  await t.test('a worker that is killed resumes: the topic has each line once', async () => {
    write(200)
    await worker.kill()
    write(800)
    await worker.start()
    await worker.untilState('source', 'RUNNING')
    await until('all lines have arrived', () => new Set(arrived()).size >= written.length)
    assert.deepEqual(await committedLines(tools), written)
  })
  await t.test('offsets and states over HTTP', () => manage(worker, source))
  await worker.stop()
  await broker.stop()
})
