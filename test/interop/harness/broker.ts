/**
 * Starts and stops the broker under test: our bundled build through `bin/kafka-server-start.sh`, or
 * Apache Kafka (KRaft, one node) from its published jars. Both get the same `server.properties` and
 * the same `--override` flags, listen on 127.0.0.1 only and keep one folder of data.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, run, signalGroup, startChild } from './children.ts'
import { java } from './clients.ts'
import { classPath, logging, paths } from './paths.ts'
import { settings, type Target } from './settings.ts'
import { apiVersions } from './wire.ts'
import type { Workspace } from './workspace.ts'

/** The id that formatted Kafka folders carry; any 16 bytes in base64 would do. */
export const clusterId = 'c2Ftc2EtaW50ZXJvcC10cw'

export const nodeId = 1

export interface BrokerOptions {
  target?: Target
  /** Where the data is; kept over restarts and when the broker stops. */
  dataFolder: string
  port?: number
  configs?: Record<string, string>
}

export interface Broker {
  readonly target: Target
  readonly port: number
  readonly address: string
  readonly dataFolder: string
  /** The process that serves, below a start script if that does not replace itself. */
  readonly pid: number
  /** From the start of the process to the first answer to ApiVersions, in milliseconds. */
  readonly readyMs: number
  /** What the broker has printed since it was started this time. */
  log(): string
  /** SIGTERM, and waits for the end, which must be a clean one. */
  stop(): Promise<void>
  /** SIGKILL, and waits until the process is gone. */
  kill(): Promise<void>
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

function properties(entries: Record<string, string>): string {
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

/** Writes `server.properties`; returns the arguments that make the broker use it. */
async function writeProperties(
  workspace: Workspace,
  target: Target,
  port: number,
  options: BrokerOptions,
): Promise<[propertiesPath: string, ...rest: string[]]> {
  const listener = `PLAINTEXT://127.0.0.1:${port}`
  const common = {
    'node.id': String(nodeId),
    listeners: listener,
    'log.dirs': options.dataFolder,
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    // The sample records are as old as they are; the default would delete them after 30 s.
    'log.retention.ms': '-1',
    ...options.configs,
  }
  const controllerPort = target === 'kafka' ? await freePort() : 0
  const kraft = {
    listeners: `${listener},CONTROLLER://127.0.0.1:${controllerPort}`,
    'process.roles': 'broker,controller',
    'controller.quorum.voters': `${nodeId}@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  }
  const path = workspace.path('server.properties')
  writeFileSync(path, properties(target === 'kafka' ? { ...common, ...kraft } : common))
  return [path, '--override', `advertised.listeners=${listener}`]
}

/** Prepares an empty folder for Apache Kafka, as `kafka-storage.sh format` does. */
async function formatForKafka(
  workspace: Workspace,
  propertiesPath: string,
  flags: string[] = [],
): Promise<void> {
  const said = workspace.path('format.log')
  const ids = ['-t', clusterId, '-c', propertiesPath]
  const format = ['kafka.tools.StorageTool', 'format', ...ids, ...flags]
  await run('java', ['-cp', classPath(), ...format], { outputPath: said, errorPath: said })
}

/**
 * Makes a folder that Apache Kafka serves out of another broker's: the partitions and checkpoints
 * are copied as they are, and a fresh KRaft metadata log learns of the topics and their ids.
 */
export async function handToKafka(workspace: Workspace, from: string, to: string): Promise<void> {
  mkdirSync(to, { recursive: true })
  const path = (await writeProperties(workspace, 'kafka', await freePort(), { dataFolder: to }))[0]
  // With eligible leader replicas, a broker that registers for the first time counts as one that
  // was shut down uncleanly and is struck from every ISR: no partition would get a leader.
  await formatForKafka(workspace, path, ['--feature', 'eligible.leader.replicas.version=0'])
  for (const name of readdirSync(from)) {
    const isPartition = existsSync(join(from, name, 'partition.metadata'))
    const isKept = isPartition || /-checkpoint$|^\.kafka_cleanshutdown$/.test(name)
    if (isKept && !name.startsWith('__cluster_metadata')) {
      cpSync(join(from, name), join(to, name), { recursive: true })
    }
  }
  await java('KraftAdoption', [to])
}

function start(target: Target, args: string[], logPath: string): Child {
  const output = { outputPath: logPath, errorPath: logPath }
  if (target === 'samsa') return startChild(paths.startScript, args, output)
  const jvm = ['-Xmx1G', '-Xms1G', '-XX:+UseG1GC', logging, '-cp', classPath()]
  return startChild('java', [...jvm, 'kafka.Kafka', ...args], output)
}

/** Waits until the broker answers ApiVersions; fails as soon as the process has ended. */
async function untilReady(child: Child, port: number, logPath: string): Promise<void> {
  const limit = Date.now() + 60_000
  for (;;) {
    const answered = await apiVersions(port).then(
      () => true,
      () => false,
    )
    if (answered) return
    if (child.exited !== undefined || Date.now() > limit) {
      signalGroup(child.pid, 'SIGKILL')
      const why = child.exited === undefined ? 'no answer in 60 s' : 'it ended at once'
      throw new Error(`the broker did not start, ${why}:\n${readFileSync(logPath, 'utf8')}`)
    }
    await sleep(5)
  }
}

let started = 0

/** Starts a broker and waits until it answers. It is killed at the test's end at the latest. */
export async function startBroker(workspace: Workspace, options: BrokerOptions): Promise<Broker> {
  const target = options.target ?? settings.target
  const port = options.port ?? (await freePort())
  started += 1
  const logPath = workspace.path(`broker-${started}-${target}.log`)
  mkdirSync(options.dataFolder, { recursive: true })
  const args = await writeProperties(workspace, target, port, options)
  if (target === 'kafka' && !existsSync(join(options.dataFolder, 'meta.properties'))) {
    await formatForKafka(workspace, args[0])
  }
  const startedAt = performance.now()
  const child = start(target, args, logPath)
  workspace.onEnd(() => signalGroup(child.pid, 'SIGKILL'))
  await untilReady(child, port, logPath)
  const readyMs = performance.now() - startedAt
  const pid = servingProcess(child.pid)
  return {
    target,
    port,
    address: `127.0.0.1:${port}`,
    dataFolder: options.dataFolder,
    pid,
    readyMs,
    log: () => readFileSync(logPath, 'utf8'),
    async stop() {
      signalGroup(child.pid, 'SIGTERM')
      const { code, signal } = await child.exit
      // A JVM that SIGTERM ended says 128 + 15; a Node broker that shut down in order says 0.
      if (code !== (target === 'kafka' ? 143 : 0)) {
        throw new Error(
          `the broker ended with ${code ?? signal}:\n${readFileSync(logPath, 'utf8')}`,
        )
      }
    },
    async kill() {
      signalGroup(child.pid, 'SIGKILL')
      await child.exit
      while (existsSync(`/proc/${pid}`)) await sleep(1)
    },
  }
}

/** The last descendant in line: a start script may run the broker below itself. */
function servingProcess(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  const first = children.split(' ')[0]
  return first === undefined || first === '' ? pid : servingProcess(Number(first))
}
