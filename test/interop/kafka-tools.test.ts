/**
 * Apache Kafka's own command-line tools, from its published jars, do their work on our broker and
 * print what they print on Apache Kafka's.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Broker, nodeId, startBroker } from './harness/broker.ts'
import { java } from './harness/clients.ts'
import { type JavaProcess, startMember, until } from './harness/java-members.ts'
import { openToolBox, type ToolBox } from './harness/toolbox.ts'
import { createWorkspace, type Workspace } from './harness/workspace.ts'

const configs = {
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
}

/** Splits a table into rows of cells, without the lines before its header. */
function table(output: string, header: string): string[][] {
  const lines = output.split('\n').map((line) => line.trim())
  const start = lines.findIndex((line) => line.startsWith(header))
  assert.ok(start >= 0, `no table of ${header}:\n${output}`)
  const rows = lines.slice(start + 1).filter((line) => line !== '')
  return rows.map((line) => line.split(/\s+/))
}

/** One column of a table, numbered from 0. */
const column = (rows: string[][], index: number): string[] => rows.map((row) => row[index] ?? '')

interface Stage {
  workspace: Workspace
  broker: Broker
  tools: ToolBox
  /** Writes a file for a tool and returns its path. */
  file(name: string, content: string | object): string
}

async function setStage(t: TestContext): Promise<Stage> {
  const workspace = createWorkspace(t)
  const broker = await startBroker(workspace, { dataFolder: workspace.path('data'), configs })
  return {
    workspace,
    broker,
    tools: openToolBox(workspace, broker.address),
    file(name, content) {
      const text = typeof content === 'string' ? content : JSON.stringify(content)
      writeFileSync(workspace.path(name), text)
      return workspace.path(name)
    },
  }
}

async function brokerApiVersions({ tools, broker }: Stage): Promise<void> {
  const output = await tools.succeed('kafka-broker-api-versions', [])
  assert.ok(output.startsWith(`${broker.address} (id: ${nodeId} rack: null isFenced: false) -> (`))
  for (const api of ['Produce(0): 0 to 13 [usable: 13]', 'Fetch(1): 4 to 18 [usable: 18]']) {
    assert.ok(output.includes(api), api)
  }
  assert.doesNotMatch(output, /UNKNOWN/, 'an API that Kafka does not know')
  const features = await tools.succeed('kafka-features', ['describe'])
  assert.match(features, /transaction\.version\t.*FinalizedVersionLevel: 2/)
}

async function topics({ tools }: Stage): Promise<void> {
  const create = ['--create', '--topic', 'orders', '--partitions', '3', '--replication-factor', '1']
  const created = await tools.succeed('kafka-topics', [
    ...create,
    ...['--config', 'retention.ms=3600000'],
  ])
  assert.match(created, /Created topic orders\./)
  const again = await tools.refuse('kafka-topics', create)
  assert.match(again, /Topic 'orders' already exists\./)
  const withUnknown = ['--create', '--topic', 'x', '--config', 'no.such=1']
  assert.match(
    await tools.refuse('kafka-topics', withUnknown),
    /Unknown topic config name: no\.such/,
  )
  assert.equal(await tools.succeed('kafka-topics', ['--list']), 'orders\n')
  const describe = ['--describe', '--topic', 'orders']
  const described = await tools.succeed('kafka-topics', describe)
  const about = /Topic: orders\tTopicId: \S{22}\tPartitionCount: 3\tReplicationFactor: 1\tConfigs: /
  assert.match(described, about)
  assert.match(described, /retention\.ms=3600000/)
  assert.equal(described.match(/Leader: 1\tReplicas: 1\tIsr: 1/g)?.length, 3)
  await tools.succeed('kafka-topics', ['--alter', '--topic', 'orders', '--partitions', '4'])
  const shrunk = ['--alter', '--topic', 'orders', '--partitions', '2']
  assert.match(
    await tools.refuse('kafka-topics', shrunk),
    /The topic orders currently has 4 partition\(s\); 2 would not be an increase\./,
  )
  for (const problem of ['--under-replicated-partitions', '--unavailable-partitions']) {
    assert.equal((await tools.succeed('kafka-topics', ['--describe', problem])).trim(), '')
  }
  const unknown = await tools.refuse('kafka-topics', ['--describe', '--topic', 'nosuch'])
  assert.match(unknown, /Topic 'nosuch' does not exist as expected/)
}

async function consoleClients({ tools, file }: Stage): Promise<void> {
  const lines = file('orders.txt', 'h:1\tk1\tone\nh:2\tk2\ttwo\nh:3\tk3\tNULL\nh:4\tk4\tfour\n')
  const parse = ['parse.headers=true', 'parse.key=true', 'null.marker=NULL']
  const producer = parse.flatMap((property) => ['--reader-property', property])
  const send = ['--topic', 'orders', '--compression-codec', 'zstd', ...producer]
  await tools.succeed('kafka-console-producer', send, lines)
  const printed = ['key', 'headers', 'partition', 'offset', 'timestamp']
  const show = printed.flatMap((what) => ['--formatter-property', `print.${what}=true`])
  const read = ['--topic', 'orders', '--from-beginning', '--group', 'readers', ...show]
  const output = await tools.succeed('kafka-console-consumer', [...read, '--max-messages', '4'])
  const line = /^CreateTime:\d{13}\tPartition:[0-3]\tOffset:\d\th:(\d)\t(k\d)\t(\w+)$/gm
  const found = [...output.matchAll(line)].map((match) => match.slice(1).join(' '))
  assert.deepEqual(found.sort(), ['1 k1 one', '2 k2 two', '3 k3 null', '4 k4 four'])
  assert.match(output, /Processed a total of 4 messages/)
  // The group has committed: nothing is left for it.
  const rest = await tools.succeed('kafka-console-consumer', [...read, '--timeout-ms', '1500'])
  assert.match(rest, /Processed a total of 0 messages/)
}

async function getOffsets({ tools }: Stage): Promise<void> {
  const sum = async (...args: string[]): Promise<[partitions: number, offsets: number]> => {
    const output = await tools.succeed('kafka-get-offsets', ['--topic', 'orders', ...args])
    const offsets = [...output.matchAll(/^orders:\d:(\d+)$/gm)].map((match) => Number(match[1]))
    return [offsets.length, offsets.reduce((total, offset) => total + offset, 0)]
  }
  assert.deepEqual(await sum(), [4, 4])
  assert.deepEqual(await sum('--time', 'earliest'), [4, 0])
  assert.deepEqual(await sum('--time', 'latest', '--partitions', '0,1,2,3'), [4, 4])
  assert.deepEqual((await sum('--time', '1', '--partitions', '0,1,2,3'))[1], 0)
}

async function describeGroups(stage: Stage, member: JavaProcess): Promise<void> {
  const { tools, broker } = stage
  const group = ['--describe', '--group', 'active']
  const describe = (...more: string[]): Promise<string> =>
    tools.succeed('kafka-consumer-groups', [...group, ...more])
  await until('the member is assigned all', () => member.output().includes('assigned 0 1 2 3'))
  await until('the member has read all', () => member.output().match(/ read /g) !== null)
  const offsets = table(await describe(), 'GROUP')
  assert.deepEqual(column(offsets, 2).sort(), ['0', '1', '2', '3'])
  assert.ok(offsets.every((row) => /^consumer-active-\S+$/.test(row[6] ?? '')))
  assert.deepEqual([...new Set(column(offsets, 7))], ['/127.0.0.1'])
  const members = table(await describe('--members', '--verbose'), 'GROUP')
  assert.equal(members.length, 1)
  assert.match(members[0]?.join(' ') ?? '', / 4 .*orders:0,1,2,3/)
  const [state] = table(await describe('--state', '--verbose'), 'GROUP')
  assert.deepEqual(state?.slice(0, 5), ['active', broker.address, `(${nodeId})`, 'range', 'Stable'])
  const list = async (...filter: string[]): Promise<string[][]> =>
    table(await tools.succeed('kafka-consumer-groups', ['--list', ...filter]), 'GROUP')
  assert.deepEqual((await list('--state')).sort(), [
    ['active', 'Stable'],
    ['readers', 'Empty'],
  ])
  assert.deepEqual(await list('--state', 'Empty'), [['readers', 'Empty']])
  assert.deepEqual((await list('--type', 'classic')).sort(), [
    ['active', 'Classic'],
    ['readers', 'Classic'],
  ])
  const all = table(await tools.succeed('kafka-groups', ['--list']), 'GROUP')
  assert.deepEqual(column(all, 0).sort(), ['active', 'readers'])
  const reset = ['--reset-offsets', '--group', 'active', '--topic', 'orders', '--to-earliest']
  const busy = await tools.run('kafka-consumer-groups', [...reset, '--execute'])
  assert.match(busy.output, /can only be reset if the group 'active' is inactive/)
  const remove = await tools.run('kafka-consumer-groups', ['--delete', '--group', 'active'])
  assert.match(remove.output, /GroupNotEmptyException: The group is not empty\./)
}

async function resetOffsets({ tools, file }: Stage): Promise<void> {
  const group = ['--group', 'readers']
  const reset = async (topic: string, ...rule: string[]): Promise<string[]> => {
    const args = ['--reset-offsets', ...group, '--topic', topic, ...rule]
    const output = await tools.succeed('kafka-consumer-groups', args)
    return column(table(output, 'GROUP'), 3)
  }
  const current = async (): Promise<string[]> => {
    const output = await tools.succeed('kafka-consumer-groups', ['--describe', ...group])
    return table(output, 'GROUP').map((row) => `${row[2]}:${row[3]}`)
  }
  const before = await current()
  assert.deepEqual(await reset('orders', '--to-earliest', '--dry-run'), ['0', '0', '0', '0'])
  assert.deepEqual(await current(), before, 'a dry run changes nothing')
  assert.deepEqual(await reset('orders', '--to-earliest', '--execute'), ['0', '0', '0', '0'])
  assert.deepEqual(await current(), ['0:0', '1:0', '2:0', '3:0'])
  await reset('orders', '--to-latest', '--execute')
  assert.deepEqual(await current(), before)
  const full = before.find((entry) => !entry.endsWith(':0')) ?? ''
  const [partition, end] = full.split(':')
  const one = `orders:${partition}`
  assert.deepEqual(await reset(one, '--shift-by', '-1', '--execute'), [String(Number(end) - 1)])
  assert.deepEqual(await reset(one, '--to-offset', '1', '--execute'), ['1'])
  assert.deepEqual(await reset(one, '--by-duration', 'PT1H', '--execute'), ['0'])
  assert.deepEqual(await reset(one, '--to-datetime', '2020-01-01T00:00:00.000', '--dry-run'), ['0'])
  const plan = file('offsets.csv', `orders,${partition},1\n`)
  const fromFile = ['--reset-offsets', ...group, '--from-file', plan, '--execute']
  await tools.succeed('kafka-consumer-groups', fromFile)
  assert.ok((await current()).includes(`${partition}:1`))
  const drop = ['--delete-offsets', ...group, '--topic', one]
  assert.match(await tools.succeed('kafka-consumer-groups', drop), /Successful/)
  assert.ok(!(await current()).some((entry) => entry.startsWith(`${partition}:`)))
  const remove = ['--delete', ...group]
  assert.match(
    await tools.succeed('kafka-consumer-groups', remove),
    /Deletion of requested consumer groups \('readers'\) was successful\./,
  )
  const again = await tools.run('kafka-consumer-groups', remove)
  assert.match(again.output, /GroupIdNotFoundException: The group id does not exist\./)
}

function assertSynonyms(output: string, setting: string, synonyms: string[]): void {
  const line = `  ${setting} sensitive=false synonyms={${synonyms.join(', ')}}\n`
  assert.ok(output.includes(line), `not there: ${line}\n${output}`)
}

interface ConfigTool {
  change(entity: string[], ...what: string[]): Promise<string>
  /** Describes an entity until what it says passes a check: a change takes Kafka a moment. */
  expect(entity: string[], check: (output: string) => void): Promise<void>
}

function configTool(tools: ToolBox): ConfigTool {
  return {
    change: (entity, ...what) => tools.succeed('kafka-configs', ['--alter', ...entity, ...what]),
    async expect(entity, check) {
      for (let attempt = 1; ; attempt++) {
        const output = await tools.succeed('kafka-configs', ['--describe', ...entity])
        try {
          check(output)
          return
        } catch (error) {
          if (attempt === 20) throw error
          await sleep(100)
        }
      }
    },
  }
}

async function configTopicsAndBrokers({ tools }: Stage): Promise<void> {
  const { change, expect } = configTool(tools)
  const topic = ['--entity-type', 'topics', '--entity-name', 'orders']
  const added = 'cleanup.policy=[compact,delete],max.message.bytes=2000000'
  await change(topic, '--add-config', added)
  await expect(topic, (output) => {
    assertSynonyms(output, 'cleanup.policy=compact,delete', [
      'DYNAMIC_TOPIC_CONFIG:cleanup.policy=compact,delete',
      'DEFAULT_CONFIG:log.cleanup.policy=delete',
    ])
    assertSynonyms(output, 'max.message.bytes=2000000', [
      'DYNAMIC_TOPIC_CONFIG:max.message.bytes=2000000',
      'DEFAULT_CONFIG:message.max.bytes=1048588',
    ])
  })
  await change(topic, '--delete-config', 'cleanup.policy')
  await expect(topic, (output) => assert.doesNotMatch(output, /cleanup\.policy/))
  const wrong = ['--alter', ...topic, '--add-config', 'no.such=1']
  assert.match(
    await tools.refuse('kafka-configs', wrong),
    /InvalidConfigurationException: Unknown topic config name: no\.such/,
  )
  const everyBroker = ['--entity-type', 'brokers', '--entity-default']
  const broker = ['--entity-type', 'brokers', '--entity-name', String(nodeId)]
  await change(everyBroker, '--add-config', 'log.cleaner.backoff.ms=20000')
  await change(broker, '--add-config', 'log.cleaner.backoff.ms=21000')
  await expect(broker, (output) =>
    assertSynonyms(output, 'log.cleaner.backoff.ms=21000', [
      'DYNAMIC_BROKER_CONFIG:log.cleaner.backoff.ms=21000',
      'DYNAMIC_DEFAULT_BROKER_CONFIG:log.cleaner.backoff.ms=20000',
      'DEFAULT_CONFIG:log.cleaner.backoff.ms=15000',
    ]),
  )
  await change(broker, '--delete-config', 'log.cleaner.backoff.ms')
  await change(everyBroker, '--delete-config', 'log.cleaner.backoff.ms')
  await expect(everyBroker, (output) => assert.doesNotMatch(output, /log\.cleaner/))
  const all = await tools.succeed('kafka-configs', ['--describe', '--all', ...broker])
  assert.match(all, /^ {2}log\.dirs=.* synonyms=\{STATIC_BROKER_CONFIG:log\.dirs=/m)
}

async function configClientsAndGroups({ tools }: Stage): Promise<void> {
  const { change, expect } = configTool(tools)
  const client = ['--entity-type', 'clients', '--entity-name', 'c1']
  const user = ['--entity-type', 'users', '--entity-name', 'u1']
  const userAndClients = [...user, '--entity-type', 'clients', '--entity-default']
  await change(client, '--add-config', 'producer_byte_rate=100000')
  await change(userAndClients, '--add-config', 'consumer_byte_rate=90000,request_percentage=200')
  const clients = ['--entity-type', 'clients']
  await expect(clients, (output) =>
    assert.match(output, /Quota configs for client-id 'c1' are producer_byte_rate=100000\.0/),
  )
  const ofUser = new RegExp(
    "user-principal 'u1', the default client-id are " +
      'consumer_byte_rate=90000.0, request_percentage=200.0',
  )
  await expect(userAndClients, (output) => assert.match(output, ofUser))
  const all = ['--entity-type', 'users', ...clients]
  await expect(all, (output) => assert.match(output, ofUser))
  await change(client, '--delete-config', 'producer_byte_rate')
  await change(userAndClients, '--delete-config', 'consumer_byte_rate,request_percentage')
  await expect(all, (output) => assert.doesNotMatch(output, /_rate/))
  await expect(clients, (output) => assert.doesNotMatch(output, /_rate/))
  const group = ['--entity-type', 'groups', '--entity-name', 'sharers']
  await change(group, '--add-config', 'share.auto.offset.reset=earliest')
  await expect(group, (output) =>
    assertSynonyms(output, 'share.auto.offset.reset=earliest', [
      'DYNAMIC_GROUP_CONFIG:share.auto.offset.reset=earliest',
    ]),
  )
}

async function performance({ tools }: Stage): Promise<void> {
  const load = ['--topic', 'perf', '--num-records', '20000', '--record-size', '100']
  const produced = await tools.succeed('kafka-producer-perf-test', [...load, '--throughput', '-1'])
  assert.match(produced, /^20000 records sent, .* records\/sec/m)
  const inTransactions = ['--transactional-id', 'perf', '--transaction-duration-ms', '100']
  const few = ['--topic', 'perf', '--num-records', '2000', '--record-size', '100']
  const transactional = [...few, '--throughput', '-1', ...inTransactions]
  const committed = await tools.succeed('kafka-producer-perf-test', transactional)
  assert.match(committed, /^2000 records sent, /m)
  const consume = ['--topic', 'perf', '--num-records', '22000', '--timeout', '20000']
  const consumed = await tools.succeed('kafka-consumer-perf-test', consume)
  const [, , megabytes, , records] = consumed.trim().split('\n').at(-1)?.split(', ') ?? []
  assert.equal(records, '22000')
  assert.equal(Number(megabytes).toFixed(2), ((22_000 * 100) / (1 << 20)).toFixed(2))
  const rounds = ['--topic', 'latency', '--num-records', '50', '--producer-acks', 'all']
  const latency = await tools.succeed('kafka-e2e-latency', [...rounds, '--record-size', '20'])
  assert.match(latency, /Avg latency: [\d.]+ ms\nPercentiles: 50th = \d+, 99th = \d+/)
}

async function transactions({ tools }: Stage): Promise<void> {
  const list = table(await tools.succeed('kafka-transactions', ['list']), 'TransactionalId')
  assert.deepEqual([column(list, 0), column(list, 3)], [['perf'], ['CompleteCommit']])
  const describe = ['describe', '--transactional-id', 'perf']
  const described = table(await tools.succeed('kafka-transactions', describe), 'CoordinatorId')
  assert.deepEqual(described[0]?.slice(0, 3), [String(nodeId), 'perf', list[0]?.[2]])
  assert.deepEqual(described[0]?.slice(4, 6), ['CompleteCommit', '60000'])
  const producers = ['describe-producers', '--topic', 'perf', '--partition', '0']
  const active = table(await tools.succeed('kafka-transactions', producers), 'ProducerId')
  assert.deepEqual(column(active, 3).sort(), ['-1', '19999'])
  assert.ok(active.some((row) => row[0] === list[0]?.[2] && row[5] === 'None'))
  const hanging = ['find-hanging', '--broker-id', String(nodeId)]
  assert.deepEqual(table(await tools.succeed('kafka-transactions', hanging), 'Topic'), [])
}

async function verifiableClients({ tools, broker }: Stage): Promise<void> {
  const events = (output: string): Record<string, unknown>[] =>
    output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line))
  const limit = ['--topic', 'verified', '--max-messages', '1000']
  // It sends the rest and sums up when its process ends, so it gets one of its own.
  const sent = await java('org.apache.kafka.tools.VerifiableProducer', [
    ...['--bootstrap-server', broker.address, '--acks', '-1', ...limit],
  ])
  const summary = events(sent).find(({ name }) => name === 'tool_data')
  assert.equal(summary?.sent, 1000)
  assert.equal(summary?.acked, 1000)
  for (const protocol of ['classic', 'consumer']) {
    const group = ['--group-id', `verifiers-${protocol}`, '--reset-policy', 'earliest']
    const kind = ['--group-protocol', protocol, '--group-remote-assignor', 'uniform']
    const read = [...limit, ...group, ...(protocol === 'classic' ? kind.slice(0, 2) : kind)]
    const told = events(await tools.succeed('kafka-verifiable-consumer', read))
    const count = told
      .filter(({ name }) => name === 'records_consumed')
      .reduce((sum, event) => sum + Number(event.count), 0)
    assert.equal(count, 1000, protocol)
    assert.ok(told.filter(({ name }) => name === 'offsets_committed').every((at) => at.success))
    assert.ok(told.some(({ name }) => name === 'shutdown_complete'))
  }
}

async function shareGroups({ tools, broker, file }: Stage): Promise<void> {
  await tools.succeed('kafka-topics', ['--create', '--topic', 'shared', '--partitions', '1'])
  const lines = file('shared.txt', 'one\ntwo\nthree\n')
  await tools.succeed('kafka-console-producer', ['--topic', 'shared'], lines)
  const read = ['--topic', 'shared', '--group', 'sharers', '--max-messages', '3']
  const output = await tools.succeed('kafka-console-share-consumer', read)
  assert.match(output, /^one\ntwo\nthree\nProcessed a total of 3 messages/)
  assert.match(await tools.succeed('kafka-share-groups', ['--list']), /^sharers$/m)
  const group = ['--group', 'sharers']
  const describe = async (...more: string[]): Promise<string[] | undefined> =>
    table(await tools.succeed('kafka-share-groups', ['--describe', ...group, ...more]), 'GROUP')[0]
  assert.deepEqual((await describe())?.slice(0, 3), ['sharers', 'shared', '0'])
  assert.equal((await describe())?.at(-1), '0', 'the lag')
  assert.deepEqual(await describe('--state'), [
    ...['sharers', broker.address, `(${nodeId})`, 'Empty', '0'],
  ])
  const reset = ['--reset-offsets', ...group, '--topic', 'shared', '--to-earliest', '--execute']
  const moved = table(await tools.succeed('kafka-share-groups', reset), 'GROUP')
  assert.deepEqual(moved, [['sharers', 'shared', '0', '0']])
  const again = await tools.succeed('kafka-console-share-consumer', read)
  assert.match(again, /^one\ntwo\nthree\n/)
  const drop = ['--delete-offsets', ...group, '--topic', 'shared']
  assert.match(await tools.succeed('kafka-share-groups', drop), /shared\s+Successful/)
  const remove = await tools.succeed('kafka-share-groups', ['--delete', ...group])
  assert.match(remove, /Deletion of requested share groups \('sharers'\) was successful\./)
}

async function partitions({ tools, broker, file }: Stage): Promise<void> {
  const folders = ['--describe', '--topic-list', 'orders']
  const described = await tools.succeed('kafka-log-dirs', folders)
  const [answer] = JSON.parse(described.trim().split('\n').at(-1) ?? '').brokers
  assert.deepEqual([answer.broker, answer.logDirs[0].logDir], [nodeId, broker.dataFolder])
  assert.equal(answer.logDirs[0].partitions.length, 4)
  const perf = { topic: 'perf', partition: 0 }
  const upTo = file('delete.json', { version: 1, partitions: [{ ...perf, offset: 100 }] })
  const deleted = await tools.succeed('kafka-delete-records', ['--offset-json-file', upTo])
  assert.match(deleted, /partition: perf-0\tlow_watermark: 100/)
  const leaders = file('leaders.json', { partitions: [perf] })
  const elect = ['--election-type', 'preferred', '--path-to-json-file', leaders]
  assert.match(
    await tools.succeed('kafka-leader-election', elect),
    /Valid replica already elected for partitions perf-0/,
  )
  const topicsToMove = file('move.json', { version: 1, topics: [{ topic: 'perf' }] })
  const move = ['--topics-to-move-json-file', topicsToMove, '--broker-list', String(nodeId)]
  const proposal = await tools.succeed('kafka-reassign-partitions', ['--generate', ...move])
  const proposed = JSON.parse(proposal.trim().split('\n').at(-1) ?? '')
  assert.deepEqual(proposed.partitions[0].replicas, [nodeId])
  const plan = ['--reassignment-json-file', file('plan.json', proposed)]
  assert.match(
    await tools.succeed('kafka-reassign-partitions', ['--execute', ...plan]),
    /Successfully started partition reassignment for perf-0/,
  )
  assert.match(
    await tools.succeed('kafka-reassign-partitions', ['--verify', ...plan]),
    /Reassignment of partition perf-0 is completed\./,
  )
  assert.match(
    await tools.succeed('kafka-reassign-partitions', ['--list']),
    /No partition reassignments found\./,
  )
}

async function deleteTopic({ tools }: Stage): Promise<void> {
  const list = async (): Promise<string[]> =>
    (await tools.succeed('kafka-topics', ['--list', '--exclude-internal'])).trim().split('\n')
  assert.deepEqual(await list(), ['latency', 'orders', 'perf', 'shared', 'verified'])
  await tools.succeed('kafka-topics', ['--delete', '--topic', 'orders'])
  assert.deepEqual(await list(), ['latency', 'perf', 'shared', 'verified'])
}

test('the command-line tools of Apache Kafka', { timeout: 240_000 }, async (t) => {
  const stage = await setStage(t)
  const { workspace, broker } = stage
  await t.test('broker-api-versions and features', () => brokerApiVersions(stage))
  await t.test('topics', () => topics(stage))
  await t.test('console producer and consumer', () => consoleClients(stage))
  await t.test('get-offsets', () => getOffsets(stage))
  const member = startMember(workspace, '4.x', 'member', broker, 'orders', ['active'])
  await t.test('consumer-groups: list and describe', () => describeGroups(stage, member))
  await member.end()
  await t.test('consumer-groups: reset, delete', () => resetOffsets(stage))
  await t.test('configs of topics and brokers', () => configTopicsAndBrokers(stage))
  await t.test('configs of clients, users and groups', () => configClientsAndGroups(stage))
  await t.test('performance tests', () => performance(stage))
  await t.test('transactions', () => transactions(stage))
  await t.test('verifiable producer and consumer', () => verifiableClients(stage))
  await t.test('share-groups', () => shareGroups(stage))
  await t.test('log-dirs, delete-records, leader-election, reassign-partitions', () =>
    partitions(stage),
  )
  await t.test('topics: delete', () => deleteTopic(stage))
  await broker.stop()
})
