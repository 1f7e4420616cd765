/** kafka-get-offsets. */
import { createTopics } from '../harness/wire.ts'
import type { CliCase, Command, Side } from './compare.ts'

const run = (...args: string[]): Command => ({ tool: 'kafka-get-offsets', args })
const on = (...args: string[]): Command => run('--bootstrap-server', '{server}', ...args)

/** Topics `{id}`, with three partitions of which the second has records, and `{id}-other`. */
async function before(side: Side): Promise<void> {
  await createTopics(side.broker.port, [
    { name: side.id, partitions: 3 },
    { name: `${side.id}-other`, partitions: 12 },
  ])
  await side.produce(side.id, 1, ['a', 'b', 'c'])
}

const TIMES = [
  ...['latest', 'earliest', 'max-timestamp', 'earliest-local', 'latest-tiered'],
  ...[
    'earliest-pending-upload',
    '-1',
    '-2',
    '-3',
    '-4',
    '-5',
    '-6',
    '-7',
    '0',
    '1',
    '99999999999999',
  ],
]

export const cases: readonly CliCase[] = [
  {
    name: 'which partitions',
    before,
    commands: [
      on('--topic', '{id}'),
      on('--topic', '{id}.*'),
      on('--topic', '{id}', '--partitions', '0,1'),
      on('--topic', '{id}', '--partitions', '7'),
      on('--topic', '{id}', '--partitions', 'x'),
      on('--topic', '{id}-none'),
      on('--topic', '(', '--exclude-internal-topics'),
      on('--topic-partitions', '{id}:1,{id}-other:3-5'),
      on('--topic-partitions', '{id}.*:2-'),
      on('--topic-partitions', '{id}.*:-2'),
      on('--topic-partitions', '{id},{id}-other:11'),
      on('--topic-partitions', '{id}:x'),
      on('--topic-partitions', '{id}:1', '--topic', '{id}'),
      on('--topic', '__.*', '--exclude-internal-topics'),
    ],
  },
  {
    name: 'at which time',
    before,
    commands: [
      ...TIMES.map((time) => on('--topic', '{id}', '--partitions', '0,1', '--time', time)),
      on('--topic', '{id}', '--time', 'yesterday'),
      on('--topic', '{id}', '--time', '9223372036854775808'),
    ],
  },
  {
    name: 'the command line',
    commands: [
      run(),
      run('--help'),
      run('--topic', 'x'),
      run('--no-such'),
      run('--bootstrap-server', '{server}', '--time'),
      run('--bootstrap-server', 'nowhere'),
      run('--bootstrap-server', ''),
      run('--bootstrap-server', 'a.invalid:1'),
      on('--topic', 'x', '--command-config', '{file:absent}'),
    ],
  },
]
