/**
 * Installs what the interop tests need and says what is missing: kcat from Debian's packages,
 * Apache Kafka and its clients through Maven, all others through their languages' own tools. All
 * but Debian's packages goes to `.cache`; what is there already is not fetched again.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { paths } from './harness/paths.ts'
import { nodeClients, python, rust } from './install-clients.ts'
import { java } from './install-java.ts'
import { answers, digestOf, installPackages, make } from './install-steps.ts'

export type ToolName = 'kcat' | 'java' | 'go' | 'python' | 'node' | 'rust'

export interface Tool {
  name: ToolName
  /** What was found, for a person. */
  found?: string
  /** Why it cannot be used, and what to do. */
  missing?: string
}

async function kcat(): Promise<Tool> {
  let problem: string | undefined
  if ((await answers('kcat', '-V')) === undefined) problem = await installPackages('kcat')
  const version = await answers('kcat', '-V')
  if (version === undefined) return { name: 'kcat', missing: problem ?? 'it does not run' }
  const found = /Version (\S+)[\s\S]*librdkafka (\S+)/.exec(version)
  return { name: 'kcat', found: `kcat ${found?.[1]}, librdkafka ${found?.[2]}` }
}

async function go(): Promise<Tool> {
  const version = await answers('go', 'version')
  const needed = /^go (\S+)$/m.exec(readFileSync(join(paths.goSources, 'go.mod'), 'utf8'))?.[1]
  // Debian's own Go is too old for franz-go, so there is nothing to install here.
  if (version === undefined) return { name: 'go', missing: `install Go ${needed} or later` }
  mkdirSync(dirname(paths.goClient), { recursive: true })
  const sources = readdirSync(paths.goSources).map((name) => join(paths.goSources, name))
  const build = ['build', '-o', paths.goClient, '.']
  const problem = await make('go', digestOf(sources, version), [['go', build, paths.goSources]])
  if (problem !== undefined) return { name: 'go', missing: `${problem} (Go ${needed} is needed)` }
  const modules = readFileSync(join(paths.goSources, 'go.mod'), 'utf8')
  const [franz, sarama] = [/franz-go (v\S+)/, /sarama (v\S+)/].map(
    (each) => each.exec(modules)?.[1],
  )
  const found = `${version.trim().split(' ')[2]}, franz-go ${franz}, sarama ${sarama}`
  return { name: 'go', found }
}

/** Installs everything that can be installed. */
export async function install(): Promise<Tool[]> {
  mkdirSync(paths.cache, { recursive: true })
  return [await kcat(), await java(), await go(), await python(), await nodeClients(), await rust()]
}

/** One line on each tool. */
export function describe(tools: Tool[]): string {
  return tools
    .map(({ name, found, missing }) => `${name.padEnd(6)} ${found ?? `missing: ${missing}`}\n`)
    .join('')
}

if (import.meta.main) {
  const tools = await install()
  process.stdout.write(describe(tools))
  process.exitCode = tools.every((tool) => tool.missing === undefined) ? 0 : 1
}
