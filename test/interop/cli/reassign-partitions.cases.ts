/** kafka-reassign-partitions. */
import { createTopics } from '../harness/wire.ts'
import type { CliCase, Command } from './compare.ts'

const run = (...args: string[]): Command => ({ tool: 'kafka-reassign-partitions', args })
const on = (...args: string[]): Command => run('--bootstrap-server', '{server}', ...args)
const byFile = (action: string, file: string, ...args: string[]): Command =>
  on(`--${action}`, '--reassignment-json-file', `{file:${file}}`, ...args)

const entry = (partition: number, replicas: string) =>
  `{"topic":"{id}","partition":${partition},"replicas":${replicas}}`

export const cases: readonly CliCase[] = [
  {
    name: 'plans, carried out on one broker',
    before: ({ broker, id }) => createTopics(broker.port, [{ name: id, partitions: 3 }]),
    files: {
      topics: '{"topics":[{"topic":"{id}"}],"version":1}',
      plan: `{"version":1,"partitions":[${entry(1, '[1]')},${entry(0, '[1]')}]}`,
      unknown: `{"partitions":[${entry(7, '[1]')}]}`,
      'unknown-topic': '{"partitions":[{"topic":"no-such","partition":0,"replicas":[1]}]}',
      'unknown-broker': `{"partitions":[${entry(0, '[9]')}]}`,
      other: `{"partitions":[${entry(2, '[2,1]')}]}`,
    },
    commands: [
      on('--list'),
      on('--generate', '--topics-to-move-json-file', '{file:topics}', '--broker-list', '1'),
      on('--generate', '--topics-to-move-json-file', '{file:topics}', '--broker-list', '1,1'),
      on('--generate', '--topics-to-move-json-file', '{file:topics}', '--broker-list', '8'),
      byFile('execute', 'plan'),
      byFile('verify', 'plan'),
      byFile('execute', 'plan', '--throttle', '2048', '--additional'),
      byFile('verify', 'plan', '--preserve-throttles'),
      byFile('verify', 'plan'),
      byFile('verify', 'other', '--preserve-throttles'),
      byFile('cancel', 'plan'),
      ...['unknown', 'unknown-topic', 'unknown-broker'].map((file) => byFile('execute', file)),
    ],
  },
  {
    name: 'a verified topic that is not there',
    before: ({ broker, id }) => createTopics(broker.port, [{ name: id, partitions: 1 }]),
    files: { plan: '{"partitions":[{"topic":"no-such","partition":0,"replicas":[1]}]}' },
    commands: [byFile('verify', 'plan', '--preserve-throttles')],
  },
  {
    name: 'the command line and the file',
    files: {
      empty: '{"partitions":[]}',
      'no-replicas': '{"partitions":[{"topic":"a","partition":0,"replicas":[]}]}',
      'no-field': '{"partitions":[{"topic":"a","partition":0}]}',
      'twice-replica': '{"partitions":[{"topic":"a","partition":0,"replicas":[1,1]}]}',
      twice: `{"partitions":[${entry(0, '[1]')},${entry(0, '[1]')}]}`,
      sizes: '{"partitions":[{"topic":"a","partition":0,"replicas":[1],"log_dirs":["any","x"]}]}',
      'version-2': '{"version":2}',
      list: '[]',
    },
    commands: [
      run(),
      run('--help'),
      run('--list'),
      run('--list', '--verify'),
      on(),
      on('--list', '--verify'),
      on('--verify'),
      on('--generate', '--broker-list', '1'),
      on('--list', '--throttle', '1'),
      on('--list', '--bootstrap-controller', 'x:1'),
      byFile('verify', 'empty', '--additional'),
      byFile('execute', 'absent'),
      byFile('execute', 'empty', '--throttle', 'x'),
      ...[
        ...['empty', 'no-replicas', 'no-field', 'twice-replica', 'twice', 'sizes'],
        ...['version-2', 'list'],
      ].map((file) => byFile('execute', file)),
    ],
  },
]
