/** kafka-delete-records. */
import { createTopics } from '../harness/wire.ts'
import type { CliCase, Command } from './compare.ts'

const run = (...args: string[]): Command => ({ tool: 'kafka-delete-records', args })
const deleteBy = (file: string) =>
  run('--bootstrap-server', '{server}', '--offset-json-file', `{file:${file}}`)

const twice = ['0', '1'].map((offset) => `{"topic":"a","partition":1,"offset":${offset}}`)

export const cases: readonly CliCase[] = [
  {
    name: 'deletes, and says what it cannot',
    before: ({ broker, id }) => createTopics(broker.port, [{ name: id, partitions: 2 }]),
    files: {
      some: '{"partitions":[{"topic":"{id}","partition":1,"offset":0}],"version":1}',
      'out-of-range': '{"partitions":[{"topic":"{id}","partition":0,"offset":7}]}',
      twice: `{"partitions":[${twice}]}`,
    },
    commands: [deleteBy('some'), deleteBy('out-of-range'), deleteBy('twice')],
  },
  {
    name: 'the command line and the file',
    files: {
      broken: '{"partitions":[',
      'no-partitions': '{"version":1}',
      'no-offset': '{"partitions":[{"topic":"a","partition":1}]}',
      'text-offset': '{"partitions":[{"topic":"a","partition":1,"offset":"x"}]}',
      list: '[]',
      'version-2': '{"version":2,"partitions":[]}',
    },
    commands: [
      run(),
      run('--help'),
      run('--no-such'),
      run('-x', 'y'),
      run('--bootstrap-server'),
      run('--bootstrap-server', '{server}'),
      run('--bootstrap-server', '{server}', '--bootstrap-server', 'b:1', '--offset-json-file', 'x'),
      ...['broken', 'no-partitions', 'no-offset', 'text-offset', 'list', 'version-2', 'absent'].map(
        deleteBy,
      ),
    ],
  },
]
