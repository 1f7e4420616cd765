/** What is said of clients in docs/ is so: each example compiles and runs, each metric is there. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import * as clients from '../../src/clients/index.ts'
import { METRIC_GROUPS } from '../../src/clients/observability/metric-names.ts'
import { TestBroker } from '../support/test-broker.ts'

const { Admin, Producer } = clients
const root = join(import.meta.dirname, '../..')
const DOCUMENTS = ['clients.md', 'clients-observability.md']
const SERVER = 'localhost:9092'

const textOf = (document: string) => readFileSync(join(root, 'docs', document), 'utf8')

/** The programs of a document, each with the line at which it begins. */
function programsOf(document: string): { name: string; code: string }[] {
  const text = textOf(document)
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length + 1
    return { name: `${document}:${line}`, code: match[1]! }
  })
}

const programs = DOCUMENTS.flatMap(programsOf)
let broker: TestBroker
let folder: string

/** Where an example is, as a program that can be run against the broker. */
const fileOf = (name: string) => join(folder, `${name.replace(/\W/g, '-')}.ts`)

before(async () => {
  broker = await TestBroker.start({ 'group.initial.rebalance.delay.ms': '0' })
  folder = join(broker.folder, 'programs')
  mkdirSync(folder)
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const index = JSON.stringify(join(root, 'src/clients/index.ts'))
  for (const { name, code } of programs) {
    const here = code.replaceAll("'samsa/clients'", index)
    writeFileSync(fileOf(name), here.replaceAll(SERVER, `127.0.0.1:${broker.port}`))
  }
  await fillTopics()
})
after(() => broker[Symbol.asyncDispose]())

/** What the examples read. */
async function fillTopics(): Promise<void> {
  const bootstrapServers = `127.0.0.1:${broker.port}`
  await using admin = new Admin({ bootstrapServers })
  const topics = ['orders', 'payments', 'images', 'invoices', 'traced']
  await admin.createTopics(topics.map((topic) => ({ topic })))
  const set = { 'share.auto.offset.reset': 'earliest' }
  const groups = ['resizing', 'resizing-simply']
  await admin.alterConfigs(groups.map((name) => ({ type: 'group', name, set })))
  await using producer = new Producer({ bootstrapServers })
  for (const total of [7, 5, 3, 0]) {
    await producer.send({ topic: 'payments', key: 'ann', value: JSON.stringify({ total }) })
    await producer.send({ topic: 'images', value: total === 5 ? '{"broken' : `"${total}"` })
  }
}

test('every example has the types that it says', async () => {
  const options = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).compilerOptions
  const config = {
    compilerOptions: {
      ...options,
      ...{ noEmit: true, noUnusedLocals: false },
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: ['*.ts'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const compiled = promisify(execFile)(process.execPath, [tsc, '-p', folder])
  await compiled.catch(({ stdout }) => assert.fail(stdout))
})

for (const { name, code } of programs) {
  test(`the example at ${name} runs`, async (t) => {
    assert.match(code, /from 'samsa\/clients'/)
    const log = t.mock.method(console, 'log', () => {})
    try {
      await import(pathToFileURL(fileOf(name)).href)
    } finally {
      log.mock.restore()
    }
  })
}

test('every class of errors is told of', () => {
  const errors = Object.keys(clients).filter((name) => name.endsWith('Error'))
  const told = textOf('clients.md')
  for (const name of errors) assert.ok(told.includes(`\`${name}\``), name)
})

test('every metric is in the table, by its group, with what it says', () => {
  const rows: string[] = []
  for (const [group, { tables, label }] of Object.entries(METRIC_GROUPS)) {
    rows.push(`\`${group}\`${label === undefined ? '' : `, for each ${label}:`}`)
    for (const [name, says] of tables.flatMap((table) => Object.entries(table))) {
      rows.push(`| \`${name}\` | ${says} |`)
    }
  }
  const lines = textOf('clients-observability.md').split('\n')
  const found = lines.filter((line) => /^`[a-z-]+-metrics`|^\| `[a-z-]+` \| [A-Zb]/.test(line))
  assert.deepEqual(found, rows)
})
