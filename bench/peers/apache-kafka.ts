/**
 * Apache Kafka from its published jars: KRaft, one node that is broker and controller, default
 * settings, and the heap and collector that its own start script gives it. Needs Java 17 or newer
 * and, the first time, Maven.
 */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Command, freePort, type Server, startServer } from './server.ts'

const pomPath = join(import.meta.dirname, 'pom.xml')

/** The version named in pom.xml. */
export const kafkaVersion = /<kafka.version>(.*)</.exec(readFileSync(pomPath, 'utf8'))?.[1] ?? ''

const jars = join(import.meta.dirname, `../.cache/apache-kafka-${kafkaVersion}`)

function run(program: string, args: string[]): void {
  try {
    execFileSync(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Error(`Apache Kafka as a peer needs ${program}, which is not installed.`)
  }
}

/** Brings the jars into bench/.cache if they are not there; gives the folder that holds them. */
export function fetchApacheKafka(): string {
  if (existsSync(jars)) return jars
  const arriving = `${jars}.${process.pid}`
  mkdirSync(arriving, { recursive: true })
  const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime']
  run('mvn', ['-q', '-B', '-f', pomPath, ...copy, `-DoutputDirectory=${arriving}`])
  if (readdirSync(arriving).length === 0) throw new Error('Maven brought no jars')
  renameSync(arriving, jars)
  return jars
}

/**
 * Formats a data folder in `folder`, which must exist, and gives what starts the broker on it.
 * `overrides` are further lines for server.properties.
 */
export async function apacheKafkaCommand(
  folder: string,
  port: number,
  overrides: string[] = [],
): Promise<Command> {
  const classPath = join(fetchApacheKafka(), '*')
  const properties = join(folder, 'server.properties')
  const logging = join(import.meta.dirname, 'log4j2.properties')
  const controllerPort = await freePort()
  const settings = [
    'process.roles=broker,controller',
    'node.id=0',
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names=CONTROLLER',
    `controller.quorum.voters=0@127.0.0.1:${controllerPort}`,
    `log.dirs=${join(folder, 'data')}`,
    // Internal topics on one broker can have one replica only.
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'log.segment.delete.delay.ms=1000',
    ...overrides,
  ]
  writeFileSync(properties, `${settings.join('\n')}\n`)
  const java = ['-cp', classPath, `-Dlog4j2.configurationFile=${logging}`]
  const format = ['format', '--cluster-id', 'c2Ftc2EtYmVuY2gtMDAwMQ', '--config', properties]
  run('java', [...java, 'kafka.tools.StorageTool', ...format])
  const heap = ['-Xmx1G', '-Xms1G', '-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20']
  const collector = ['-XX:InitiatingHeapOccupancyPercent=35', '-XX:+ExplicitGCInvokesConcurrent']
  return {
    name: `Apache Kafka ${kafkaVersion}`,
    file: 'java',
    args: [...heap, ...collector, ...java, 'kafka.Kafka', properties],
    folder,
  }
}

/** Starts a broker with its data in `folder`, and waits until it answers. */
export async function startApacheKafka(folder: string): Promise<Server> {
  const port = await freePort()
  return startServer(await apacheKafkaCommand(folder, port), port)
}
