/** kafka-broker-api-versions. */
import type { CliCase, Command } from './compare.ts'

const run = (...args: string[]): Command => ({ tool: 'kafka-broker-api-versions', args })

export const cases: readonly CliCase[] = [
  {
    name: 'what each broker serves',
    commands: [run('--bootstrap-server', '{server}'), run('--bootstrap-server={server}')],
    // What nobody asks of a Samsa cluster our clients cannot ask.
    masks: [[/(RaftVoter\(8[01]\): .*) \[usable: \d\]/g, '$1']],
  },
  {
    name: 'the command line',
    commands: [
      run(),
      run('--help'),
      run('--bootstrap-server'),
      run('--topic', 'x'),
      run('--command-config', '{file:absent}'),
      run('--bootstrap-server', '{server}', '--command-config', '{file:absent}'),
    ],
  },
]
