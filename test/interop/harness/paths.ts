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
