import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Consumer, Producer } from '../../../src/clients/index.ts'
import { friendly } from '../../../src/tools/samsa/program.ts'
import { TestBroker } from '../../support/test-broker.ts'
import { runTool } from '../support/run-tool.ts'

let broker: TestBroker
before(async () => {
  broker = await TestBroker.start({ 'group.initial.rebalance.delay.ms': '0' })
})
after(() => broker[Symbol.asyncDispose]())

const address = () => `127.0.0.1:${broker.port}`
const samsa = (args: string[], stdin?: string) =>
  runTool(friendly, [...args, '--brokers', address()], stdin === undefined ? {} : { stdin })

/** Runs a command that must succeed; what it printed. */
async function succeed(args: string[], stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await samsa(args, stdin)
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, `${args.join(' ')}: ${stdout}`)
  return stdout
}

async function json(args: string[]) {
  return JSON.parse(await succeed([...args, '--json']))
}

async function fill(topic: string, partitions: number, count: number): Promise<void> {
  await succeed(['topic', 'create', topic, '-p', String(partitions)])
  await using producer = new Producer({ bootstrapServers: address() })
  await producer.sendBatch(
    Array.from({ length: count }, (_, index) => ({
      ...{ topic, partition: index % partitions, key: `k${index}`, value: `v${index}` },
      timestamp: Date.UTC(2026, 10, 1, 0, index),
    })),
  )
}

test('topics are created, listed, described and deleted', async () => {
  const created = await succeed(['topic', 'create', 'a', 'b', '-p', '2', '-c', 'retention.ms=1000'])
  assert.equal(created, 'Created topic a\nCreated topic b\n')
  const again = await samsa(['topic', 'create', 'a'])
  assert.equal(again.code, 1)
  assert.match(again.stderr, /^a: Topic 'a' already exists/)
  await succeed(['topic', 'create', 'a', '--if-not-exists'])
  assert.match(
    await succeed(['topic', 'list']),
    /^NAME +PARTITIONS +REPLICAS +RECORDS\na +2 +1 +0\n/,
  )
  const [row, ...others] = await json(['topic', 'list', '^a$'])
  assert.deepEqual(row, { name: 'a', partitions: 2, isInternal: false, replicas: 1, records: 0 })
  assert.equal(others.length, 0)
  const [described] = await json(['topic', 'describe', 'a'])
  assert.deepEqual(described.configs, { 'retention.ms': '1000' })
  assert.equal(described.partitions[1].leader, 1)
  assert.match(await succeed(['topic', 'describe', 'b']), /SETTINGS +retention.ms=1000/)
  assert.equal(await succeed(['topic', 'delete', 'a', 'b']), 'Deleted topic a\nDeleted topic b\n')
  assert.equal((await samsa(['topic', 'describe', 'a'])).code, 1)
})

test('records are read from any place to any other', async () => {
  await fill('read', 2, 20)
  const read = async (...args: string[]) => {
    const text = await succeed(['topic', 'consume', 'read', '-f', '%p:%o=%v\\n', '-e', ...args])
    return text.trimEnd().split('\n').filter(Boolean).sort()
  }
  assert.equal((await read()).length, 20)
  assert.deepEqual(await read('-o', '-1'), ['0:9=v18', '1:9=v19'])
  assert.deepEqual(await read('-o', '+1:3', '-p', '0'), ['0:1=v2', '0:2=v4'])
  assert.deepEqual(await read('-o', '8'), ['0:8=v16', '0:9=v18', '1:8=v17', '1:9=v19'])
  assert.deepEqual(await read('-o', '@2026-11-01T00:18'), ['0:9=v18', '1:9=v19'])
  assert.deepEqual(await read('-o', '@2026-11-01:@2026-11-01T00:02'), ['0:0=v0', '1:0=v1'])
  assert.deepEqual(await read('-o', 'end'), [])
  assert.equal((await read('-n', '3')).length, 3)
  assert.deepEqual(await read('-o', '5', '-n', '0'), [])
})

test('what is consumed as JSON is produced again as it was', async () => {
  await succeed(['topic', 'create', 'json-a', 'json-b'])
  const lines = 'x=1\ny=\nz=ü "3"\n'
  const told = await succeed(
    ['topic', 'produce', 'json-a', '-f', '%k=%v', '-H', 'h=1', '--tombstone', '-z', 'gzip'],
    lines,
  )
  assert.match(told, /^Produced to partition 0 at offset 0 with timestamp 20\S+Z\n/)
  const first = await succeed(['topic', 'consume', 'json-a', '--json', '-e'])
  await succeed(['topic', 'produce', 'json-b', '-i', 'json', '-q'], first)
  const second = await succeed(['topic', 'consume', 'json-b', '--json', '-e'])
  assert.equal(second, first.replaceAll('json-a', 'json-b'))
  const records = second
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    records.map(({ key, value, headers }) => [key, value, headers]),
    [
      ['x', '1', [{ key: 'h', value: '1' }]],
      ['y', null, [{ key: 'h', value: '1' }]],
      ['z', 'ü "3"', [{ key: 'h', value: '1' }]],
    ],
  )
  const one = await succeed(['topic', 'produce', 'json-b', '--value', 'v', '-k', 'k', '-p', '0'])
  assert.match(one, /at offset 3 /)
})

test('records before an offset are trimmed', async () => {
  await fill('trim', 2, 20)
  const rows = await json(['topic', 'trim', 'trim', '-o', '-3', '-p', '1'])
  assert.deepEqual(rows, [{ topic: 'trim', partition: 1, offset: 7, oldStart: 0, deleted: 7 }])
  assert.match(await succeed(['topic', 'trim', 'trim', '-o', '@2026-11-01T00:04']), /0 +0 +2 +2\n/)
  const [{ partitions }] = await json(['topic', 'describe', 'trim'])
  assert.deepEqual(
    partitions.map(({ startOffset }: { startOffset: number }) => startOffset),
    [2, 7],
  )
})

test('groups are described, moved and deleted', async () => {
  await fill('grouped', 2, 20)
  const consumed = await succeed(['topic', 'consume', 'grouped', '-g', 'g', '-n', '4'])
  assert.equal(consumed.split('\n').length, 5)
  const [group] = await json(['group', 'describe', 'g'])
  assert.equal(group.state, 'Empty')
  assert.equal(group.totalLag, 16)
  await using consumer = new Consumer({ bootstrapServers: address(), groupId: 'live' })
  consumer.subscribe('grouped')
  while (consumer.assignment().length < 2) await consumer.poll({ timeoutMs: 100 })
  await consumer.commitSync()
  assert.match(await succeed(['group', 'list']), /^GROUP +TYPE +STATE\ng +\S+ +Empty\nlive +/)
  const described = await succeed(['group', 'describe', 'live'])
  assert.match(described, /STATE +Stable\n/)
  assert.match(described, /grouped +1 +\d+ +10 +\d+ +samsa\S+ /)
  const busy = await samsa(['group', 'seek', 'live', '--to', 'start'])
  assert.equal(busy.code, 1)
  const rows = await json(['group', 'seek', 'g', '--to', '-1'])
  assert.deepEqual(
    rows.map(({ offset }: { offset: number }) => offset),
    [9, 9],
  )
  const rest = await succeed(['topic', 'consume', 'grouped', '-g', 'g', '-n', '2', '-f', '%v '])
  assert.deepEqual(rest.trim().split(' ').sort(), ['v18', 'v19'])
  assert.equal(await succeed(['group', 'delete', 'g']), 'Deleted group g\n')
  assert.equal((await samsa(['group', 'describe', 'g'])).code, 1)
})

test('a cluster is healthy or not, and says who is in it', async () => {
  const found = await json(['cluster', 'health'])
  assert.equal(found.healthy, true)
  assert.deepEqual(found.brokers, [1])
  assert.match(await succeed(['cluster', 'health']), /^HEALTHY +yes\n/)
  const port = String(broker.port)
  assert.match(await succeed(['cluster', 'info']), new RegExp(`1\\* +127.0.0.1 +${port} +-`))
})

test('what makes no sense is refused with 2, what cannot be done with 1', async () => {
  const cases: readonly (readonly [args: string[], message: RegExp])[] = [
    [['topic', 'consume', 'a', '-f', '%q'], /'%q' is no part of a record/],
    [['topic', 'consume', 'a', '-o', 'soon'], /'soon' is no offset/],
    [['topic', 'create', 'a', '-p', 'x'], /'x' is not a whole number/],
    [['topic', 'dance'], /unknown command 'dance'/],
    [['topic', 'list', '--no-such'], /unknown option '--no-such'/],
    [['topic', 'list', '-X', 'no.such.key=1'], /no\.such\.key/],
    [['topic', 'list', '-X', 'plain'], /-X takes key=value/],
  ]
  for (const [args, message] of cases) {
    const { code, stderr } = await samsa(args)
    assert.equal(code, 2, args.join(' '))
    assert.match(stderr, message)
  }
  const gone = await runTool(friendly, [
    ...['topic', 'list', '-b', '127.0.0.1:1', '-X', 'default.api.timeout.ms=300'],
  ])
  assert.equal(gone.code, 1)
  assert.match(gone.stderr, /^samsa: .*127\.0\.0\.1:1.*\(REQUEST_TIMED_OUT\)\n$/)
})

test('colours are for terminals, or for those who ask', async () => {
  await succeed(['topic', 'create', 'coloured'])
  const isColoured = async (...args: string[]) =>
    (await succeed(['topic', 'list', ...args])).includes('\x1b[36mcoloured')
  assert.equal(await isColoured(), false)
  assert.equal(await isColoured('--color'), true)
  assert.equal(await isColoured('--no-color'), false)
})

test('commands, options, topics and groups are completed', async () => {
  await succeed(['topic', 'create', 'complete-me'])
  const complete = async (...words: string[]) => {
    process.env.SAMSA_BROKERS = address()
    const { stdout } = await runTool(friendly, ['__complete', '--', ...words])
    delete process.env.SAMSA_BROKERS
    return stdout.trimEnd().split('\n')
  }
  assert.deepEqual(await complete('to'), ['topic'])
  assert.deepEqual(await complete('st'), ['start'])
  assert.deepEqual(await complete('topic', 'de'), ['delete', 'describe'])
  assert.deepEqual(await complete('topic', 'describe', 'complete'), ['complete-me'])
  assert.deepEqual(await complete('topic', 'trim', 'x', ''), [''])
  assert.deepEqual(await complete('topic', 'consume', '--off'), ['--offset'])
  for (const shell of await complete('completion', '')) {
    assert.match(await succeed(['completion', shell]), /samsa __complete --/)
  }
})
