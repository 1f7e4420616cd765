/**
 * Java, Apache Kafka with its tools, Streams and Connect, and the Java client alone in the versions
 * under test: the jars come through Maven, the programs in `java/` are compiled against them.
 */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  clientJars,
  clientVersions,
  installedKafkaVersion,
  type JavaClient,
  javaClients,
  paths,
} from './harness/paths.ts'
import type { Tool } from './install.ts'
import { answers, digestOf, installPackages, isMadeFrom, make } from './install-steps.ts'

const dependencyPlugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'

const failure = (missing: string): Tool => ({ name: 'java', missing })

/** The Java sources directly in a folder. */
function sourcesIn(...folder: string[]): string[] {
  const path = join(paths.javaSources, ...folder)
  return readdirSync(path)
    .filter((name) => name.endsWith('.java'))
    .map((name) => join(path, name))
}

/** Copies a project's jars into a folder and compiles sources against them. */
async function build(
  part: { name: string; project: string; jars: string; classes: string; sources: string[] },
  javaVersion: string,
  properties: string[] = [],
): Promise<string | undefined> {
  const { name, project, jars, classes, sources } = part
  const digest = digestOf([project], ...properties)
  if (!isMadeFrom(`jars${name}`, digest)) rmSync(jars, { recursive: true, force: true })
  const maven = ['-q', '-B', '-ntp', '-f', project, `${dependencyPlugin}:copy-dependencies`]
  const copy = [...maven, ...properties, `-DoutputDirectory=${jars}`, '-DincludeScope=runtime']
  const problem = await make(`jars${name}`, digest, [['mvn', copy, paths.interop]])
  if (problem !== undefined) return problem
  const compile = ['-d', classes, '-cp', join(jars, '*'), '-Xlint:all', '-Werror', ...sources]
  return make(`classes${name}`, digestOf(sources, digest, javaVersion), [
    ['javac', compile, paths.interop],
  ])
}

/** The class path of one version of the client; the checks of 4.x do not compile against 3.x. */
function buildClient(client: JavaClient, javaVersion: string): Promise<string | undefined> {
  const { jars, classes } = clientJars(client)
  const sources = sourcesIn('clients')
  if (client === '4.x') sources.push(...sourcesIn('clients/newer'))
  const project = join(paths.javaSources, 'clients/pom.xml')
  const part = { name: `-${client}`, project, jars, classes, sources }
  return build(part, javaVersion, [`-Dclients.version=${clientVersions[client]}`])
}

/** Installs all of it; what is there already is not fetched or compiled again. */
export async function java(): Promise<Tool> {
  const has = async (): Promise<boolean> =>
    (await answers('javac', '-version')) !== undefined && (await answers('mvn', '-v')) !== undefined
  let problem: string | undefined
  if (!(await has())) problem = await installPackages('default-jdk-headless', 'maven')
  const version = await answers('javac', '-version')
  if (version === undefined) return failure(problem ?? 'javac does not run')
  const major = Number(/javac (\d+)/.exec(version)?.[1])
  if (major < 17) return failure(`Java 17 or later is needed, this is ${major}`)

  const project = join(paths.interop, 'pom.xml')
  const { jars, javaClasses: classes } = paths
  problem = await build({ name: '', project, jars, classes, sources: sourcesIn() }, version)
  for (const client of javaClients) problem ??= await buildClient(client, version)
  if (problem !== undefined) return failure(problem)
  const clients = Object.values(clientVersions).join(' and ')
  const found = `Java ${major}, Apache Kafka ${installedKafkaVersion()}, clients ${clients}`
  return { name: 'java', found }
}
