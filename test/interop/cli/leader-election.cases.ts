/** kafka-leader-election. */
import { createTopics } from '../harness/wire.ts'
import type { CliCase, Command } from './compare.ts'

const run = (...args: string[]): Command => ({ tool: 'kafka-leader-election', args })
const elect = (...args: string[]): Command =>
  run('--bootstrap-server', '{server}', '--election-type', 'preferred', ...args)
const byFile = (file: string) => elect('--path-to-json-file', `{file:${file}}`)

export const cases: readonly CliCase[] = [
  {
    name: 'of partitions that need it or not, and of those that are not there',
    before: ({ broker, id }) => createTopics(broker.port, [{ name: id, partitions: 2 }]),
    files: {
      one: '{"partitions":[{"topic":"{id}","partition":1}]}',
      none: '{"partitions":[]}',
    },
    commands: [
      elect('--topic', '{id}', '--partition', '0'),
      elect('--topic', '{id}', '--partition', '5'),
      elect('--topic', 'no-such-{id}', '--partition', '0'),
      elect('--all-topic-partitions'),
      byFile('one'),
      byFile('none'),
      run('--bootstrap-server', '{server}', '--election-type', 'UNCLEAN', '--all-topic-partitions'),
    ],
  },
  {
    name: 'the command line and the file',
    files: {
      broken: '{"partitions":[',
      'no-partitions': '{}',
      'no-topic': '{"partitions":[{"partition":1}]}',
      twice: '{"partitions":[{"topic":"a","partition":1},{"topic":"a","partition":1}]}',
      list: '[]',
    },
    commands: [
      run(),
      run('--help'),
      run('--no-such'),
      run('--topic', 'x'),
      run('--bootstrap-server', '{server}'),
      elect(),
      elect('--topic', 'x'),
      elect('--topic', 'x', '--partition', 'y'),
      elect('--partition', '1', '--all-topic-partitions'),
      elect('--topic', 'x', '--all-topic-partitions'),
      run('--bootstrap-server', '{server}', '--election-type', 'best', '--all-topic-partitions'),
      ...['broken', 'no-partitions', 'no-topic', 'twice', 'list', 'absent'].map(byFile),
    ],
  },
]
