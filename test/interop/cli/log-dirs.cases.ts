/** kafka-log-dirs. */
import { createTopics } from '../harness/wire.ts'
import type { CliCase, Command } from './compare.ts'

const run = (...args: string[]): Command => ({ tool: 'kafka-log-dirs', args })
const describe = (...args: string[]): Command =>
  run('--bootstrap-server', '{server}', '--describe', ...args)

export const cases: readonly CliCase[] = [
  {
    name: 'what is in the folders',
    // The same topic for both: the order of partitions depends on its name.
    before: async ({ broker, name }) => {
      if (name === 'kafka') await createTopics(broker.port, [{ name: 'log-dirs', partitions: 20 }])
    },
    commands: [
      describe('--topic-list', 'log-dirs'),
      describe('--topic-list', 'no-such,,', '--broker-list', '1'),
      describe('--broker-list', '1,7,1'),
      describe('--broker-list', 'x'),
    ],
  },
  {
    name: 'the command line',
    commands: [
      run(),
      run('--help'),
      run('--describe'),
      run('--bootstrap-server', '{server}'),
      run('--bootstrap-server', '{server}', '--describe', '--no-such'),
    ],
  },
]
