/** Where the interop tests keep what they install, and what the two targets are started from. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const interop = join(import.meta.dirname, '..')

export const paths = {
  repository: join(interop, '../..'),
  interop,
  /** Everything that is downloaded, compiled or generated; git ignores it. */
  cache: join(interop, '.cache'),
  jars: join(interop, '.cache/jars'),
  javaSources: join(interop, 'java'),
  javaClasses: join(interop, '.cache/classes'),
  goSources: join(interop, 'go'),
  goClient: join(interop, '.cache/go/samsa-interop-go'),
  pythonSources: join(interop, 'python'),
  nodeSources: join(interop, 'node'),
  nodeClients: join(interop, '.cache/node'),
  rustSources: join(interop, 'rust'),
  rustTarget: join(interop, '.cache/rust'),
  rustClient: join(interop, '.cache/rust/debug/samsa-interop-rust'),
  bundle: join(interop, '../../dist/samsa.js'),
  startScript: join(interop, '../../bin/kafka-server-start.sh'),
}

/** The class path of Apache Kafka's jars and our own compiled programs. */
export function classPath(): string {
  return [paths.javaClasses, join(paths.jars, '*')].join(':')
}

/** Java's log goes to standard error; `-Dlog.level=` says how much of it. */
export const logging = `-Dlog4j2.configurationFile=${join(interop, 'java/log4j2.xml')}`

/** The version of Apache Kafka that is installed, read from a jar's name. */
export function installedKafkaVersion(): string | undefined {
  if (!existsSync(paths.jars)) return undefined
  const match = readdirSync(paths.jars)
    .map((name) => /^kafka-clients-(.*)\.jar$/.exec(name))
    .find((found) => found !== null)
  return match?.[1]
}

/** Python's clients, each in an environment of its own. */
export const pythonClients = ['confluent-kafka', 'kafka-python-2.0.2', 'kafka-python']

/** The environment that a Python client was installed into. */
export const pythonEnvironment = (client: string): string => join(paths.cache, 'python', client)

/** The command that runs one of the programs in `python/` with a client's own environment. */
export const pythonProgram = (client: string, program: string): [string, string] => [
  join(pythonEnvironment(client), 'bin/python'),
  join(paths.pythonSources, program),
]

/** Versions of the Java client that are tested by themselves, each on its own class path. */
export const clientVersions = { '3.x': '3.9.2', '4.x': '4.3.1' } as const

export type JavaClient = keyof typeof clientVersions

export const javaClients = Object.keys(clientVersions) as JavaClient[]

/** Where a version's jars are, and what was compiled against them. */
export const clientJars = (client: JavaClient): { jars: string; classes: string } => ({
  jars: join(paths.cache, `jars-${client}`),
  classes: join(paths.cache, `classes-${client}`),
})

/** The class path of one version of the Java client and our programs for it. */
export function clientClassPath(client: JavaClient): string {
  const { jars, classes } = clientJars(client)
  return [classes, join(jars, '*')].join(':')
}
