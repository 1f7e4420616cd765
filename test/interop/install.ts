/**
 * Installs what the interop tests need and says what is missing: kcat from Debian's packages,
 * Apache Kafka and its clients through Maven, franz-go through Go. All but Debian's packages goes
 * to `.cache`; what is there already is not fetched again.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { capture } from './harness/children.ts'
import { installedKafkaVersion, paths } from './harness/paths.ts'

export type ToolName = 'kcat' | 'java' | 'go'

export interface Tool {
  name: ToolName
  /** What was found, for a person. */
  found?: string
  /** Why it cannot be used, and what to do. */
  missing?: string
}

const dependencyPlugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'

async function answers(command: string, ...args: string[]): Promise<string | undefined> {
  const { code, output, errors } = await capture(command, args)
  return code === 0 ? output + errors : undefined
}

let packageListsAreFresh = false

/** Installs Debian packages if this machine has them and lets us. */
async function installPackages(...packages: string[]): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return `run as root: apt-get install ${packages.join(' ')}`
  const environment = { DEBIAN_FRONTEND: 'noninteractive' }
  if (!packageListsAreFresh) await capture('apt-get', ['update'], { environment })
  packageListsAreFresh = true
  const install = ['install', '-y', '--no-install-recommends', ...packages]
  const { code, errors } = await capture('apt-get', install, { environment, timeoutMs: 600_000 })
  return code === 0 ? undefined : `apt-get install ${packages.join(' ')}: ${lastLine(errors)}`
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? ''

/** The first lines that an installer's own output offers as a reason. */
const reason = (output: string): string =>
  output
    .split('\n')
    .filter((line) => line.includes('ERROR') || line.startsWith('go: '))
    .slice(0, 2)
    .join(' ') || lastLine(output)

async function kcat(): Promise<Tool> {
  let problem: string | undefined
  if ((await answers('kcat', '-V')) === undefined) problem = await installPackages('kcat')
  const version = await answers('kcat', '-V')
  if (version === undefined) return { name: 'kcat', missing: problem ?? 'it does not run' }
  const found = /Version (\S+)[\s\S]*librdkafka (\S+)/.exec(version)
  return { name: 'kcat', found: `kcat ${found?.[1]}, librdkafka ${found?.[2]}` }
}

/** A file whose content says from which sources something was made. */
const stamp = (name: string): string => join(paths.cache, `${name}.made-from`)

function isMadeFrom(name: string, digest: string): boolean {
  return existsSync(stamp(name)) && readFileSync(stamp(name), 'utf8') === digest
}

function digestOf(files: string[], ...more: string[]): string {
  const hash = createHash('sha256').update(more.join('\n'))
  for (const file of files) hash.update(readFileSync(file))
  return hash.digest('hex')
}

/** Runs the steps and stamps their result, unless the stamp is there; returns what went wrong. */
async function make(
  name: string,
  digest: string,
  steps: [command: string, args: string[], cwd: string][],
): Promise<string | undefined> {
  if (isMadeFrom(name, digest)) return undefined
  for (const [command, args, cwd] of steps) {
    const { code, output, errors } = await capture(command, args, { cwd, timeoutMs: 600_000 })
    if (code !== 0) return `${command} ${args[0]} failed: ${reason(output + errors)}`
  }
  writeFileSync(stamp(name), digest)
  return undefined
}

async function java(): Promise<Tool> {
  const has = async (): Promise<boolean> =>
    (await answers('javac', '-version')) !== undefined && (await answers('mvn', '-v')) !== undefined
  let problem: string | undefined
  if (!(await has())) problem = await installPackages('default-jdk-headless', 'maven')
  const version = await answers('javac', '-version')
  if (version === undefined) return { name: 'java', missing: problem ?? 'javac does not run' }
  const major = Number(/javac (\d+)/.exec(version)?.[1])
  if (major < 17) return { name: 'java', missing: `Java 17 or later is needed, this is ${major}` }

  const project = join(paths.interop, 'pom.xml')
  const jars = digestOf([project])
  if (!isMadeFrom('jars', jars)) rmSync(paths.jars, { recursive: true, force: true })
  const copy = ['-q', '-B', '-ntp', '-f', project, `${dependencyPlugin}:copy-dependencies`]
  const copied = [...copy, `-DoutputDirectory=${paths.jars}`, '-DincludeScope=runtime']
  problem = await make('jars', jars, [['mvn', copied, paths.interop]])
  if (problem !== undefined) return { name: 'java', missing: problem }

  const sources = readdirSync(paths.javaSources)
    .filter((name) => name.endsWith('.java'))
    .map((name) => join(paths.javaSources, name))
  const compile = ['-d', paths.javaClasses, '-cp', join(paths.jars, '*'), '-Xlint:all', '-Werror']
  const classes = digestOf(sources, jars, version)
  problem = await make('classes', classes, [['javac', [...compile, ...sources], paths.interop]])
  if (problem !== undefined) return { name: 'java', missing: problem }
  return { name: 'java', found: `Java ${major}, Apache Kafka ${installedKafkaVersion()}` }
}

async function go(): Promise<Tool> {
  const version = await answers('go', 'version')
  const needed = /^go (\S+)$/m.exec(readFileSync(join(paths.goSources, 'go.mod'), 'utf8'))?.[1]
  // Debian's own Go is too old for franz-go, so there is nothing to install here.
  if (version === undefined) return { name: 'go', missing: `install Go ${needed} or later` }
  mkdirSync(dirname(paths.goClient), { recursive: true })
  const sources = ['go.mod', 'go.sum', 'main.go'].map((name) => join(paths.goSources, name))
  const build = ['build', '-o', paths.goClient, '.']
  const problem = await make('go', digestOf(sources, version), [['go', build, paths.goSources]])
  if (problem !== undefined) return { name: 'go', missing: `${problem} (Go ${needed} is needed)` }
  const library = readFileSync(sources[0] ?? '', 'utf8').match(/franz-go (v\S+)/)?.[1]
  return { name: 'go', found: `${version.trim().split(' ')[2]}, franz-go ${library}` }
}

/** Installs everything that can be installed. */
export async function install(): Promise<Tool[]> {
  mkdirSync(paths.cache, { recursive: true })
  return [await kcat(), await java(), await go()]
}

/** One line on each tool. */
export function describe(tools: Tool[]): string {
  return tools
    .map(({ name, found, missing }) => `${name.padEnd(5)} ${found ?? `missing: ${missing}`}\n`)
    .join('')
}

if (import.meta.main) {
  const tools = await install()
  process.stdout.write(describe(tools))
  process.exitCode = tools.every((tool) => tool.missing === undefined) ? 0 : 1
}
