/** kafka-consumer-groups: groups of both protocols, with members and without. */
import { Admin } from '../../../src/clients/admin/admin.ts'
import { Producer } from '../../../src/clients/producer/producer.ts'
import { eventsOf, type JavaProcess, startMember, until } from '../harness/java-members.ts'
import { createTopics } from '../harness/wire.ts'
import type { CliCase, Command, Mask, Side } from './compare.ts'

const alone = (...args: string[]): Command => ({ tool: 'kafka-consumer-groups', args })
const run = (...args: string[]): Command => alone('--bootstrap-server', '{server}', ...args)
const describe = (group: string, ...args: string[]): Command =>
  run('--describe', '--group', group, ...args)

/** Where nobody listens. */
const lost = (...args: string[]): Command =>
  alone('--bootstrap-server', '127.0.0.1:1', '--timeout', '400', ...args)

/** Names in the order in which Java happens to have them, and so on. */
const MASKS: readonly Mask[] = [
  [/( takes (?:one of these|the following) options: ).*/g, '$1…'],
  [/( Valid (?:states|types) are: ).*/g, '$1…'],
  [/( requires one of the following scenarios: ).*/g, '$1…'],
  [/^(Option ".*" can't be used with option) .*/gm, '$1 …'],
  // A file may have lines of one kind or another; Kafka's tool prints what it found in trying.
  [/^(com\.fasterxml\.jackson| at \[Source).*\n/gm, ''],
]

const START_MS = Date.UTC(2026, 0, 1)
const HOUR_MS = 3_600_000

/** A topic of three partitions: five records an hour apart, two at once, none. */
async function fill({ broker }: Side, topic: string): Promise<void> {
  await createTopics(broker.port, [{ name: topic, partitions: 3 }])
  await using producer = new Producer({ bootstrapServers: broker.address })
  const at = [0, 1, 2, 3, 4].map((hour) => [0, START_MS + hour * HOUR_MS] as const)
  for (const [partition, timestamp] of [...at, [1, START_MS], [1, START_MS]] as const) {
    await producer.send({ topic, partition, timestamp, value: 'v' })
  }
}

async function commit(side: Side, group: string, topic: string, offsets: number[]): Promise<void> {
  await using admin = new Admin({ bootstrapServers: side.broker.address })
  const committed = offsets.map((offset, partition) => ({ topic, partition, offset }))
  await admin.alterGroupOffsets(group, committed)
}

/** Members that stay until `close`, of groups that both sides look at. */
class LiveGroups {
  #members: JavaProcess[] = []

  readonly open = async (side: Side): Promise<void> => {
    if (side.name !== 'kafka') return
    await fill(side, 'cli-groups')
    await commit(side, 'cli-idle', 'cli-groups', [3, 9])
    await commit(side, 'cli-some-group-with-a-long-name', 'cli-groups', [0])
    const specs = [
      [
        ...['cli-classic', 'cli-new,group.protocol=consumer', 'cli-static,group.instance.id=one'],
        'cli-mixed,group.protocol=consumer',
      ],
      ['cli-classic', 'cli-mixed'],
    ]
    for (const [index, groups] of specs.entries()) {
      const name = `cli-member-${index}`
      const { workspace, broker } = side
      this.#members.push(startMember(workspace, '4.x', name, broker, 'cli-groups', groups))
      const ids = groups.map((group) => group.split(',')[0]!)
      const isIn = (id: string) =>
        eventsOf(id, this.#members.slice(-1)).some(({ event }) => event === 'assigned')
      await until('the members are in their groups', () => ids.every(isIn))
    }
    // Both have a part of it.
    const hasPart = (group: string, member: JavaProcess) =>
      eventsOf(group, [member]).some(
        ({ event, numbers }) => event === 'assigned' && [1, 2].includes(numbers.length),
      )
    const hasShared = () =>
      this.#members.every((member) =>
        ['cli-classic', 'cli-mixed'].every((group) => hasPart(group, member)),
      )
    await until('the partitions are shared', hasShared)
  }

  readonly close = async (side: Side): Promise<void> => {
    if (side.name === 'samsa') await Promise.all(this.#members.map((member) => member.end()))
  }
}

const live = new LiveGroups()
const liveGroups = ['cli-classic', 'cli-new', 'cli-static', 'cli-mixed', 'cli-idle']

const reset = (...args: string[]): Command =>
  run('--reset-offsets', '--group', '{id}', '--topic', '{id}', ...args)

async function prepareReset(side: Side): Promise<void> {
  await fill(side, side.id)
  await commit(side, side.id, side.id, [2, 1])
}

export const cases: readonly CliCase[] = [
  {
    name: 'lists groups',
    before: live.open,
    masks: MASKS,
    commands: [
      run('--list'),
      run('--list', '--state'),
      run('--list', '--type'),
      run('--list', '--type', '--state'),
      run('--list', '--state', 'stable'),
      run('--list', '--state', 'Stable, empty', '--type', 'classic'),
      run('--list', '--type', 'CONSUMER'),
      run('--list', '--state', 'dead'),
      run('--list', '--state', 'none'),
      run('--list', '--type', 'share'),
      run('--describe', '--all-groups', '--state'),
    ],
  },
  {
    name: 'describes groups',
    after: live.close,
    masks: MASKS,
    commands: [
      ...liveGroups.flatMap((group) => [
        describe(group),
        describe(group, '--offsets', '--verbose'),
        describe(group, '--members'),
        describe(group, '--members', '--verbose'),
        describe(group, '--state'),
        describe(group, '--state', '--verbose'),
      ]),
      describe('cli-idle', '--group', 'cli-some-group-with-a-long-name'),
      run('--describe', '--all-groups'),
      run('--describe', '--all-groups', '--members'),
      describe('cli-absent'),
      describe('cli-absent', '--members'),
      describe('cli-absent', '--state'),
      // What cannot be done while there are members.
      run('--delete', '--group', 'cli-new'),
      run('--reset-offsets', '--group', 'cli-new', '--all-topics', '--to-earliest', '--execute'),
      run('--delete-offsets', '--group', 'cli-classic', '--topic', 'cli-groups:0'),
    ],
  },
  {
    name: 'resets offsets: what it would do',
    before: prepareReset,
    // The order follows from the names, which differ.
    unordered: true,
    masks: MASKS,
    files: {
      'one.csv': '{id},0,4\n"{id}",1,99\n',
      'many.csv': '{id},{id},0,4\n{id}-b,{id},1,1\n',
    },
    commands: [
      reset('--to-earliest'),
      reset('--to-latest', '--dry-run'),
      reset('--to-current'),
      reset('--to-offset', '3'),
      reset('--to-offset', '-4'),
      reset('--shift-by', '-1'),
      reset('--to-datetime', '2026-01-01T01:30:00.000'),
      reset('--to-datetime', '2026-01-01T01:30:00.000+01:00'),
      reset('--to-datetime', '2026-01-01T01:30:00.000-0100'),
      reset('--by-duration', 'P100000D'),
      reset('--by-duration', 'PT0.1S'),
      run('--reset-offsets', '--group', '{id}', '--all-topics', '--shift-by', '10', '--dry-run'),
      run('--reset-offsets', '--group', '{id}', '--topic', '{id}:0,2', '--to-latest', '--export'),
      run('--reset-offsets', '--group', '{id}', '--from-file', '{file:one.csv}', '--dry-run'),
      run('--reset-offsets', '--group', '{id}-new', '--topic', '{id}', '--to-latest', '--dry-run'),
      ...['--dry-run', '--export'].map((how) =>
        run(
          ...['--reset-offsets', '--group', '{id}', '--group', '{id}-b', how],
          ...['--from-file', '{file:many.csv}'],
        ),
      ),
    ],
  },
  {
    name: 'resets and deletes offsets, and groups',
    before: prepareReset,
    masks: MASKS,
    commands: [
      run('--reset-offsets', '--group', '{id}', '--topic', '{id}:0', '--to-latest', '--execute'),
      describe('{id}'),
      run('--delete-offsets', '--group', '{id}', '--topic', '{id}:1'),
      run('--delete-offsets', '--group', '{id}', '--topic', '{id}', '--topic', 'absent'),
      run('--delete-offsets', '--group', '{id}', '--topic', '{id}:7'),
      run('--delete-offsets', '--group', 'absent', '--topic', '{id}:0'),
      run('--delete-offsets', '--group', '{id}', '--topic', 'absent'),
      describe('{id}'),
      run(
        '--reset-offsets',
        '--group',
        '{id}',
        '--topic',
        '{id}:1',
        '--to-offset',
        '1',
        '--execute',
      ),
      run('--delete', '--group', '{id}'),
      run('--delete', '--group', '{id}'),
      describe('{id}'),
    ],
  },
  {
    name: 'what goes wrong',
    before: prepareReset,
    masks: MASKS,
    files: { 'broken.csv': 'a,b\n' },
    commands: [
      reset('--to-datetime', 'yesterday'),
      reset('--to-datetime', '2026-13-01T00:00:00.000'),
      reset('--by-duration', 'long'),
      reset('--shift-by', '1', '--topic', '{id}:2'),
      reset('--shift-by', 'x'),
      reset('--timeout', 'x', '--to-latest'),
      reset(),
      reset('--topic', '{id}:x', '--to-latest'),
      reset('--topic', '{id}:1:2', '--to-latest'),
      reset('--topic', '{id}:9', '--to-latest'),
      reset('--topic', 'absent', '--to-latest'),
      reset('--topic', 'absent:0', '--to-latest'),
      run('--reset-offsets', '--group', '{id}', '--to-latest'),
      run('--reset-offsets', '--group', '{id}', '--from-file', '{file:absent.csv}'),
    ],
  },
  {
    name: 'the command line',
    independent: true,
    masks: MASKS,
    commands: [
      alone(),
      alone('--help'),
      alone('--list'),
      alone('--validate-regex', 'a.*'),
      alone('--validate-regex', 'a[b'),
      alone('--validate-regex', 'a(b'),
      alone('--validate-regex', '*'),
      run(),
      run('--list', '--describe', '--all-groups'),
      run('--describe'),
      run('--delete'),
      run('--delete-offsets'),
      run('--reset-offsets'),
      run('--list', '--group', 'g'),
      run('--list', '--topic', 'g'),
      run('--list', '--members'),
      run('--describe', '--type'),
      run('--no-such'),
      run('--group'),
      describe('g', '--all-groups'),
      describe('g', '--topic', 't'),
      describe('g', '--members', '--state'),
      describe('g', '--state', 'stable'),
      run('--delete', '--group', 'g', '--topic', 't'),
      run('--reset-offsets', '--group', 'g', '--execute', '--dry-run'),
      run('--reset-offsets', '--group', 'g', '--dry-run', '--to-latest', '--to-earliest'),
      run('--list', '--command-config', '{file:absent}'),
    ],
  },
  {
    name: 'no broker',
    independent: true,
    masks: MASKS,
    commands: [
      lost('--list'),
      lost('--list', '--state'),
      lost('--describe', '--group', 'g'),
      lost('--describe', '--all-groups'),
      lost('--delete', '--group', 'g'),
      lost('--delete-offsets', '--group', 'g', '--topic', 't:0'),
      lost('--reset-offsets', '--group', 'g', '--topic', 't', '--to-latest', '--dry-run'),
      alone('--bootstrap-server', 'here', '--list'),
    ],
  },
]
