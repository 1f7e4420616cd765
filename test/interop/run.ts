/**
 * `npm run test:interop`: installs what it can, then runs real clients against a real broker.
 *
 *   node test/interop/run.ts [--target samsa|kafka] [--mb N] [--crashes N] [--seed N]
 *     [--client NAME] [SUITE...]
 *
 * Without --target the broker is Samsa; the suites about our own clients and tools then run a
 * second time, against Apache Kafka's broker. That goes on beside the others, since both mostly
 * wait; what it prints comes when a suite has ended.
 *
 * Exit code 0: everything ran and passed. 1: something failed, which in CI includes a missing tool.
 * 3: what ran has passed, but a missing tool kept some suites from running.
 */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
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

/** Runs a suite, with its output on ours or in a file; true if it passed. */
function runSuite({ name, target }: Run, output: number | 'inherit'): Promise<boolean> {
  const file = join(paths.interop, `${name}.test.ts`)
  const args = ['--test', '--test-concurrency=1', '--test-reporter=spec', file]
  const env = { ...environment, SAMSA_INTEROP_TARGET: target }
  const child = spawn(process.execPath, args, { env, stdio: ['inherit', output, output] })
  return new Promise((resolve) => child.once('exit', (code) => resolve(code === 0)))
}

/** The same; what it prints comes as a whole when it has ended. */
async function runSuiteAside(run: Run): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'samsa-interop-output-'))
  const path = join(folder, 'output')
  const output = openSync(path, 'w')
  try {
    return await runSuite(run, output)
  } finally {
    closeSync(output)
    console.log(`\n--- ${run.name} against ${run.target}`)
    process.stdout.write(readFileSync(path))
    rmSync(folder, { recursive: true })
  }
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

async function runAll(runs: Run[], tools: Tool[], isAside: boolean): Promise<Result[]> {
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
    const startedAt = performance.now()
    if (!isAside) console.log(`\n--- ${name} against ${target}`)
    const run = { name, target }
    const passed = isAside ? await runSuiteAside(run) : await runSuite(run, 'inherit')
    const note = `${Math.round((performance.now() - startedAt) / 1000)} s`
    results.push({ name, target, outcome: passed ? 'passed' : 'failed', note })
  }
  return results
}

const names = positionals.length > 0 ? positionals : Object.keys(suites)
for (const name of names) {
  if (!(name in suites)) fail(`no suite ${name}: there are ${Object.keys(suites).join(', ')}`)
}
const target = flags.target === undefined ? 'samsa' : targetOf(flags.target)
const runs = names.map((name) => ({ name, target }))
const runsAside =
  flags.target === undefined
    ? names
        .filter((name) => oursOnKafkaToo.has(name))
        .map((name) => ({ name, target: 'kafka' as const }))
    : []
if (target === 'samsa' && !existsSync(paths.bundle)) {
  fail(`${paths.bundle} is not there: npm run build makes it`)
}

const tools = await install()
process.stdout.write(describe(tools))
// Ctrl-C reaches the suites as well; they are given the time to end their brokers.
process.on('SIGINT', () => {})
const both = await Promise.all([runAll(runs, tools, false), runAll(runsAside, tools, true)])
const results = both.flat()

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
