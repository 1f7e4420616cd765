/** kafka-dump-log: the same files are read by both tools. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Admin } from '../../../src/clients/admin/admin.ts'
import { Producer } from '../../../src/clients/producer/producer.ts'
import { readWholeFile } from '../../../src/common/disk.ts'
import { CompactedLog, DELETE_RETENTION_MS, writeMixture } from '../../storage/compacted-log.ts'
import { makeWorld } from '../../storage/log-harness.ts'
import { codecs } from '../harness/clients.ts'
import { createTopics } from '../harness/wire.ts'
import type { CliCase, Command, Side } from './compare.ts'

const run = (...args: string[]): Command => ({ tool: 'kafka-dump-log', args })

const LOG = '00000000000000000000.log'
const topics = [...codecs.map((codec) => `dump-${codec}`), 'dump-append-time']
const logs = topics.map((topic) => `{data}/${topic}-0/${LOG}`).join(',')
const coordinatorLogs = (topic: string): string =>
  Array.from({ length: 50 }, (_, partition) => `{data}/${topic}-${partition}/${LOG}`).join(',')

/** Both sides read what is written for the first. */
const once = (write: (side: Side) => Promise<void>) => async (side: Side) => {
  if (side.name === 'kafka') await write(side)
}

async function produce({ broker }: Side): Promise<void> {
  const configs = { 'message.timestamp.type': 'LogAppendTime' }
  await createTopics(broker.port, [
    ...topics.slice(0, -1).map((name) => ({ name })),
    { name: 'dump-append-time', configs },
  ])
  for (const [index, topic] of topics.entries()) {
    await using producer = new Producer({
      bootstrapServers: broker.address,
      compressionType: codecs[index] ?? 'none',
      ...(index === 1 && { transactionalId: 'dump' }),
    })
    if (index === 1) {
      await producer.initTransactions()
      await producer.beginTransaction()
    }
    await Promise.all([
      producer.send({ topic, key: 'k', value: 'ünï"\n', headers: { a: '1', 'b,c': null } }),
      producer.send({ topic, value: 'x'.repeat(500) }),
      producer.send({ topic, key: Buffer.alloc(8, 1), value: null }),
    ])
    if (index === 1) await producer.commitTransaction()
  }
}

/** Members of both protocols, and commits without any. */
async function useGroups(side: Side): Promise<void> {
  await using admin = new Admin({ bootstrapServers: side.broker.address })
  const at = { topic: 'dump-none', partition: 0 }
  await admin.alterGroupOffsets('dump-group', [{ ...at, offset: 2, metadata: 'said' }])
  await admin.deleteGroups(['dump-group'])
  await admin.alterGroupOffsets('dump-left', [{ ...at, offset: 3 }])
  for (const protocol of ['classic', 'consumer']) {
    const settings = ['--consumer-property', `group.protocol=${protocol}`]
    const args = ['--bootstrap-server', '{server}', '--topic', 'dump-none', '--from-beginning']
    const end = ['--group', `dump-${protocol}`, '--max-messages', '2', '--timeout-ms', '20000']
    await side.run({ tool: 'kafka-console-consumer', args: [...args, ...end, ...settings] })
  }
}

async function useShareGroup(side: Side): Promise<void> {
  const args = ['--bootstrap-server', '{server}', '--topic', 'dump-none', '--group', 'dump-share']
  const end = ['--max-messages', '1', '--timeout-ms', '3000']
  await side.run({ tool: 'kafka-console-share-consumer', args: [...args, ...end] })
}

/** What the cleaner leaves: gaps, batches without records, markers, several segments. */
async function compactedFiles(): Promise<Map<string, Buffer>> {
  const world = makeWorld()
  const compacted = new CompactedLog(world, { segmentBytes: 4000, indexIntervalBytes: 100 })
  await compacted.open()
  for (let round = 0; round < 2; round++) {
    writeMixture(compacted, 60)
    compacted.log.roll()
    await compacted.clean()
    await world.simulation.pass(DELETE_RETENTION_MS)
  }
  const names = world.disk.list('/data/t-0')
  return new Map(names.map((name) => [name, readWholeFile(world.disk, `/data/t-0/${name}`)!]))
}

const compacted = await compactedFiles()

function writeFiles(folder: string, files: ReadonlyMap<string, Buffer>): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes)
}

const compactedOf = (...endings: string[]): string[] =>
  [...compacted.keys()].filter((name) => endings.some((ending) => name.endsWith(ending)))

const inFolder = (names: readonly string[]): string =>
  names.map((name) => `{file:compacted}/${name}`).join(',')

/** What can happen to files. */
function damagedFiles(): Map<string, Buffer> {
  const firstOf = (ending: string): Buffer => Buffer.from(compacted.get(compactedOf(ending)[0]!)!)
  const log = firstOf('.log')
  // An entry that leads to another batch than it says.
  const index = firstOf('.index')
  index.writeInt32BE(index.readInt32BE(0) - 1, 0)
  const time = firstOf('.timeindex')
  time.writeBigInt64BE(time.readBigInt64BE(0) + 1n, 0)
  const snapshot = firstOf('.snapshot')
  snapshot[snapshot.length - 1]! ^= 1
  const flipped = Buffer.from(log)
  flipped[70]! ^= 1
  return new Map([
    [base(0, '.log'), log],
    [base(0, '.index'), index],
    [base(0, '.timeindex'), time],
    [base(0, '.snapshot'), snapshot],
    [base(1, '.snapshot'), Buffer.from([0, 9, 0, 0, 0, 0, 0, 0, 0, 0])],
    [base(1, '.log'), flipped],
    [base(2, '.log'), Buffer.concat([log, Buffer.alloc(10, 1)])],
    [base(3, '.log'), Buffer.concat([log, Buffer.alloc(100)])],
    [base(4, '.log'), Buffer.alloc(0)],
    [base(4, '.index'), Buffer.alloc(0)],
    [base(5, '.log'), log],
    [base(5, '.index'), index.subarray(0, index.length - 3)],
  ])
}

const base = (offset: number, ending: string): string =>
  `${String(offset).padStart(20, '0')}${ending}`

const damaged = (offset: number, ...endings: string[]): string =>
  endings.map((ending) => `{file:damaged}/${base(offset, ending)}`).join(',')

export const cases: readonly CliCase[] = [
  {
    name: 'batches and records of every compression',
    before: once(produce),
    commands: [
      run('--files', logs),
      run('--files', logs, '--deep-iteration'),
      run('--files', logs, '--print-data-log'),
      run('--files', logs, '--print-data-log', '--skip-record-metadata'),
      run('--files', logs, '--deep-iteration', '--skip-record-metadata'),
      run('--files', logs, '--max-bytes', '100', '--deep-iteration'),
      run('--files', logs, '--max-bytes', '700'),
      run('--files', logs, '--value-decoder-class', 'org.apache.kafka.tools.api.StringDecoder'),
      run('--files', `{data}/dump-none-0/${LOG}`, '--offsets-decoder', '--max-bytes', '1'),
    ],
  },
  {
    name: 'what coordinators write',
    before: once(async (side) => {
      await useGroups(side)
      await useShareGroup(side)
    }),
    // Why bytes that are something else cannot be read, each says in its own words.
    masks: [[/( due to: ).*/g, '$1WHY']],
    commands: [
      run('--files', coordinatorLogs('__consumer_offsets'), '--offsets-decoder'),
      run('--files', coordinatorLogs('__transaction_state'), '--transaction-log-decoder'),
      run('--files', coordinatorLogs('__share_group_state'), '--share-group-state-decoder'),
      // Records of another topic.
      run('--files', coordinatorLogs('__transaction_state'), '--offsets-decoder'),
    ],
  },
  {
    name: 'segments, indexes and snapshots of a compacted log',
    before: (side) => writeFiles(side.file('compacted'), compacted),
    commands: [
      ...compactedOf('.log').map((name) => run('--files', inFolder([name]), '--print-data-log')),
      run('--files', inFolder(compactedOf('.index', '.timeindex'))),
      run('--files', inFolder(compactedOf('.index', '.timeindex')), '--verify-index-only'),
      run('--files', inFolder(compactedOf('.index', '.timeindex')), '--index-sanity-check'),
      run('--files', inFolder(compactedOf('.snapshot', '.txnindex'))),
    ],
  },
  {
    name: 'damaged files',
    independent: true,
    before: (side) => writeFiles(side.file('damaged'), damagedFiles()),
    commands: [
      run('--files', damaged(0, '.log', '.index', '.timeindex', '.snapshot')),
      run('--files', damaged(0, '.index', '.timeindex'), '--verify-index-only'),
      run('--files', damaged(0, '.index', '.timeindex'), '--index-sanity-check'),
      run('--files', damaged(1, '.snapshot', '.log')),
      run('--files', damaged(2, '.log')),
      run('--files', damaged(3, '.log')),
      run('--files', damaged(4, '.log', '.index')),
      run('--files', damaged(5, '.index'), '--index-sanity-check'),
    ],
  },
  {
    name: 'the command line',
    independent: true,
    files: { 'some.txt': 'text' },
    commands: [
      run(),
      run('--help'),
      run('--deep-iteration'),
      run('--no-such'),
      run('--files', '{file:absent.log}'),
      run('--files', '{file:some.txt}'),
    ],
  },
]
