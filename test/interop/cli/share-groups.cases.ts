/** kafka-share-groups, and kafka-groups, which lists groups of every type. */
import { Admin } from '../../../src/clients/admin/admin.ts'
import { Producer } from '../../../src/clients/producer/producer.ts'
import { createTopics } from '../harness/wire.ts'
import type { CliCase, Command, Mask, Side } from './compare.ts'

const alone = (...args: string[]): Command => ({ tool: 'kafka-share-groups', args })
const run = (...args: string[]): Command => alone('--bootstrap-server', '{server}', ...args)
const groups = (...args: string[]): Command => ({ tool: 'kafka-groups', args })
const list = (...args: string[]): Command =>
  groups('--bootstrap-server', '{server}', '--list', ...args)

const MASKS: readonly Mask[] = [
  [/( Valid states are: ).*/g, '$1…'],
  [/^(Option ".*" can't be used with option) .*/gm, '$1 …'],
]

/** A topic with three records, of which a share group has taken two. */
async function share(side: Side, name: string): Promise<void> {
  const { broker } = side
  await createTopics(broker.port, [{ name, partitions: 2 }])
  {
    await using producer = new Producer({ bootstrapServers: broker.address })
    for (let i = 0; i < 3; i++) {
      const timestamp = Date.UTC(2026, 0, 1, i)
      await producer.send({ topic: name, partition: 0, timestamp, value: 'v' })
    }
  }
  await using admin = new Admin({ bootstrapServers: broker.address })
  const fromStart = { 'share.auto.offset.reset': 'earliest' }
  await admin.alterConfigs([{ type: 'group', name, set: fromStart }])
  const args = ['--bootstrap-server', '{server}', '--topic', name, '--group', name]
  const end = ['--max-messages', '2', '--timeout-ms', '40000']
  const consumed = await side.runWithKafkas({
    tool: 'kafka-console-share-consumer',
    args: [...args, ...end],
  })
  if (!consumed.stdout.startsWith('v\n')) throw new Error(JSON.stringify(consumed))
}

const reset = (...args: string[]): Command => run('--reset-offsets', '--group', '{id}', ...args)

export const cases: readonly CliCase[] = [
  {
    name: 'lists and describes share groups',
    before: async (side) => {
      if (side.name !== 'kafka') return
      await share(side, 'cli-shared')
      await using admin = new Admin({ bootstrapServers: side.broker.address })
      const at = { topic: 'cli-shared', partition: 0, offset: 1 }
      await admin.alterGroupOffsets('cli-beside-shared', [at])
    },
    masks: MASKS,
    commands: [
      run('--list'),
      run('--list', '--state'),
      run('--list', '--state', 'empty'),
      run('--list', '--state=Stable'),
      run('--list', '--state', 'x'),
      ...[[], ['--offsets'], ['--members'], ['--state']].flatMap((view) => [
        run('--describe', '--group', 'cli-shared', ...view),
        run('--describe', '--group', 'cli-shared', ...view, '--verbose'),
      ]),
      run('--describe', '--all-groups'),
      run('--describe', '--group', 'cli-absent'),
      run('--describe', '--group', 'cli-beside-shared'),
      list(),
      list('--group-type', 'share'),
      list('--group-type', 'Classic', '--protocol', 'consumer'),
      list('--protocol', 'share'),
      list('--consumer'),
      list('--share'),
      list('--streams'),
      list('--group-type', 'unknown'),
      list('--share', '--streams'),
      groups('--list'),
      groups(),
      groups('--bootstrap-server', '{server}'),
      groups('--bootstrap-server', '{server}', '--list', '--no-such'),
    ],
  },
  {
    name: 'resets and deletes offsets, and groups',
    before: (side) => share(side, side.id),
    // The order follows from the names, which differ.
    unordered: true,
    masks: MASKS,
    commands: [
      reset('--topic', '{id}:0', '--to-latest', '--dry-run'),
      reset('--topic', '{id}', '--to-datetime', '2026-01-01T01:00:00.000', '--dry-run'),
      reset('--all-topics', '--to-earliest', '--execute'),
      run('--describe', '--group', '{id}'),
      reset('--topic', '{id}:5', '--to-latest', '--execute'),
      reset('--topic', 'absent', '--to-latest', '--execute'),
      run('--delete-offsets', '--group', '{id}', '--topic', 'absent', '--topic', '{id}'),
      run('--delete-offsets', '--group', 'absent', '--topic', '{id}'),
      run('--describe', '--group', '{id}'),
      run('--delete', '--group', '{id}'),
      run('--delete', '--group', '{id}'),
    ],
  },
  {
    name: 'the command line',
    independent: true,
    masks: MASKS,
    commands: [
      alone(),
      alone('--list'),
      run(),
      run('--list', '--delete', '--group', 'g'),
      run('--describe'),
      run('--describe', '--group', 'g', '--members', '--offsets'),
      run('--describe', '--group', 'g', '--state', 'x'),
      run('--delete'),
      run('--delete', '--group', 'g', '--all-groups'),
      run('--delete', '--group', 'g', '--topic', 't'),
      run('--delete-offsets', '--group', 'g'),
      run('--reset-offsets'),
      run('--reset-offsets', '--execute', '--dry-run'),
      run('--reset-offsets', '--execute'),
      run('--reset-offsets', '--execute', '--group', 'g'),
      run('--reset-offsets', '--execute', '--group', 'g', '--all-topics'),
      reset('--execute', '--all-topics', '--to-latest', '--to-earliest'),
      run('--list', '--group', 'g'),
      run('--list', '--topic', 'g'),
      run('--list', '--members'),
      run('--no-such'),
    ],
  },
]
