/**
 * `npm run test:interop`: installs what it can, then runs real clients against a real broker.
 *
 *   node test/interop/run.ts [--target samsa|kafka] [--mb N] [--crashes N] [--seed N]
 *     [--client NAME] [SUITE...]
 *
 * Without --target the broker is Samsa; the suites about our own clients and tools then run a
 * second time, against Apache Kafka's broker.
 *
 * Exit code 0: everything ran and passed. 1: something failed, which in CI includes a missing tool.
 * 3: what ran has passed, but a missing tool kept some suites from running.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { paths } from './harness/paths.ts'
import { describe, install, type Tool, type ToolName } from './install.ts'

/** The suites in the order they run, and what each cannot do without. */
const suites: Record<string, ToolName[]> = {
  harness: [],
  hostile: [],
  'hostile-groups': [],
  kcat: ['kcat'],
  java: ['java'],
  'java-client': ['java'],
  'java-groups': ['java'],
  'kafka-tools': ['java'],
  'kafka-cli': ['java'],
  'samsa-command': [],
  streams: ['java'],
  connect: ['java'],
  go: ['go', 'java'],
  python: ['python'],
  'node-clients': ['node'],
  'test-runners': [],
  'samsa-clients': ['java'],
  rust: ['rust'],
  'dump-log': ['java'],
  'log-folders': ['java'],
  crash: ['java'],
}

/** The suites in which our own side is the one that is tried. */
const oursOnKafkaToo: ReadonlySet<string> = new Set(['kafka-cli', 'samsa-command', 'samsa-clients'])

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    target: { type: 'string' },
    mb: { type: 'string' },
    crashes: { type: 'string' },
    seed: { type: 'string' },
    client: { type: 'string' },
  },
})

function targetOf(name: string): Target {
  if (name === 'samsa' || name === 'kafka') return name
  return fail(`there is no target ${name}: samsa, kafka`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

const environment = {
  ...process.env,
  ...(flags.mb && { SAMSA_INTEROP_MB: flags.mb }),
  ...(flags.crashes && { SAMSA_INTEROP_CRASHES: flags.crashes }),
  ...(flags.seed && { SAMSA_INTEROP_SEED: flags.seed }),
  ...(flags.client && { SAMSA_INTEROP_CLIENT: flags.client }),
}

/** Runs a suite with its output on ours; true if it passed. */
function runSuite(name: string, target: Target): Promise<boolean> {
  const file = join(paths.interop, `${name}.test.ts`)
  const args = ['--test', '--test-concurrency=1', '--test-reporter=spec', file]
  const child = spawn(process.execPath, args, {
    env: { ...environment, SAMSA_INTEROP_TARGET: target },
    stdio: 'inherit',
  })
  // Ctrl-C reaches the suite as well; wait for it to end its brokers.
  process.on('SIGINT', () => {})
  return new Promise((resolve) => child.once('exit', (code) => resolve(code === 0)))
}

type Target = 'samsa' | 'kafka'

interface Run {
  name: string
  target: Target
}

interface Result extends Run {
  outcome: 'passed' | 'failed' | 'not run'
  note: string
}

async function runAll(runs: Run[], tools: Tool[]): Promise<Result[]> {
  const missing = new Set(tools.filter((tool) => tool.missing).map((tool) => tool.name))
  const results: Result[] = []
  for (const { name, target } of runs) {
    const needs: ToolName[] = [...(suites[name] ?? [])]
    if (target === 'kafka' && !needs.includes('java')) needs.push('java')
    const lacks = needs.filter((tool) => missing.has(tool))
    if (lacks.length > 0) {
      results.push({ name, target, outcome: 'not run', note: `needs ${lacks.join(' and ')}` })
      continue
    }
    console.log(`\n--- ${name} against ${target}`)
    const startedAt = performance.now()
    const passed = await runSuite(name, target)
    const note = `${Math.round((performance.now() - startedAt) / 1000)} s`
    results.push({ name, target, outcome: passed ? 'passed' : 'failed', note })
  }
  return results
}

const names = positionals.length > 0 ? positionals : Object.keys(suites)
for (const name of names) {
  if (!(name in suites)) fail(`no suite ${name}: there are ${Object.keys(suites).join(', ')}`)
}
const targets =
  flags.target === undefined ? (['samsa', 'kafka'] as const) : [targetOf(flags.target)]
const runs = targets.flatMap((target) => {
  const isSecond = flags.target === undefined && target === 'kafka'
  const chosen = isSecond ? names.filter((name) => oursOnKafkaToo.has(name)) : names
  return chosen.map((name) => ({ name, target }))
})
if (runs.some(({ target }) => target === 'samsa') && !existsSync(paths.bundle)) {
  fail(`${paths.bundle} is not there: npm run build makes it`)
}

const tools = await install()
process.stdout.write(describe(tools))
const results = await runAll(runs, tools)

console.log('\n--- summary')
for (const { name, target, outcome, note } of results) {
  const where = target === 'kafka' ? ' on Kafka' : ''
  console.log(`${`${name}${where}`.padEnd(23)} ${outcome} (${note})`)
}
const count = (outcome: Result['outcome']): number =>
  results.filter((result) => result.outcome === outcome).length
const isIncomplete = count('not run') > 0
if (isIncomplete) console.log(`incomplete, some tools are missing:\n${describe(tools)}`)
console.log(
  `suites: ${count('passed')} passed, ${count('failed')} failed, ${count('not run')} not run`,
)
if (count('failed') > 0 || (isIncomplete && process.env.CI === 'true')) process.exitCode = 1
else if (isIncomplete) process.exitCode = 3
