/**
 * The package as users have it: packed, installed beside test runners, its examples run by each of
 * them, and its declarations read by the compiler.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { paths } from './harness/paths.ts'

const home = join(paths.cache, 'test-runners')
const examples = join(paths.repository, 'examples/testing')

/** Runs a program to its end; gives what it printed. Rejects with that if it fails. */
function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  // A runner within a runner must not report to the one outside.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const options = { cwd, env: { ...env, NO_COLOR: '1' }, maxBuffer: 2 ** 26 }
  return new Promise((resolve, reject) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`
      if (error === null) resolve(output)
      else reject(new Error(`${command} ${args.join(' ')} failed:\n${output}`))
    })
  })
}

before(async () => {
  const built = ['dist/testing.js', 'dist/types/testing/index.d.ts']
  const lacks = built.filter((path) => !existsSync(join(paths.repository, path)))
  assert.deepEqual(lacks, [], 'npm run build makes what is to be packed')
  mkdirSync(home, { recursive: true })
  for (const name of readdirSync(home)) {
    if (name !== 'node_modules') rmSync(join(home, name), { recursive: true })
  }
  cpSync(examples, home, { recursive: true })
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', home], paths.repository)
  const packed = readdirSync(home).find((name) => name.endsWith('.tgz'))
  assert.ok(packed)
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  await run('npm', ['install', ...quiet, `./${packed}`], home)
})

for (const [runner, args, passed] of [
  ['node:test', ['--test', 'node-test/billing.test.mjs'], /pass 3\n/],
  ['vitest', ['node_modules/vitest/vitest.mjs', 'run', '--dir', 'vitest'], /Tests +3 passed \(3\)/],
  [
    'jest',
    ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js'],
    /Tests: +3 passed, 3 total/,
  ],
] as const) {
  test(`the example for ${runner} passes, and its process ends`, { timeout: 120_000 }, async () => {
    assert.match(await run(process.execPath, args, home), passed)
  })
}

/** A test as somebody writes it who relies on types; what is wrong in it must not compile. */
const TYPED = `
import { after, before, test } from 'node:test'
import { jsonDeserializer } from 'samsa/clients'
import { TestCluster, type TopicRecord, useTestCluster } from 'samsa/testing'

interface Order { readonly total: number }
const kafka = useTestCluster({ before, after }, { topics: { orders: { partitions: 3 } } })
test('types', async () => {
  const deserializers = { value: jsonDeserializer<Order>() }
  const orders: TopicRecord<string, Order>[] = await kafka.readTopic('orders', { deserializers })
  const total: number | undefined = orders[0]?.value?.total
  kafka.faults.answer('Metadata', (request, { apiVersion }) => {
    const names: (string | null)[] | undefined = request.topics?.map(({ name }) => name)
    if (names === undefined || apiVersion > 3) return 'LEADER_NOT_AVAILABLE'
    return { brokers: [], topics: [] }
  })
  // @ts-expect-error: no such API
  kafka.faults.drop('Product')
  // @ts-expect-error: no such option
  await TestCluster.start({ topic: {} })
  // @ts-expect-error: no such field of the request
  kafka.faults.drop('Fetch', { when: ({ topix }) => topix.length === total })
})
`

test('the declarations say what can be done, and nothing else', { timeout: 120_000 }, async () => {
  writeFileSync(join(home, 'typed.ts'), TYPED)
  const modules = join(paths.repository, 'node_modules')
  const options = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--target',
    'esnext',
    '--module',
    'nodenext',
  ]
  const types = ['--types', 'node', '--typeRoots', join(modules, '@types')]
  const compiler = join(modules, 'typescript/bin/tsc')
  await run(process.execPath, [compiler, ...options, ...types, 'typed.ts'], home)
})
