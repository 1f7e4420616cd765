/**
 * `samsa start [server.properties] [--override key=value]…`: a broker in the foreground, with what
 * a person wants to know on the screen. Without a file: port 9092 of this machine, data in ./data.
 */

import { runBroker } from './run-broker.ts'
import { parseServerArguments } from './server-arguments.ts'
import { version } from './version.ts'

const DEFAULTS = new Map([
  ['node.id', '1'],
  ['listeners', 'PLAINTEXT://127.0.0.1:9092'],
  ['log.dirs', './data'],
])

export async function start(args: readonly string[]): Promise<void> {
  const parsed = parseServerArguments(args)
  if (parsed === undefined || parsed.daemon) {
    console.error('USAGE: samsa start [server.properties] [--override key=value]…')
    process.exitCode = 1
    return
  }
  await runBroker({
    propertiesFile: parsed.propertiesFile,
    defaults: parsed.propertiesFile === undefined ? DEFAULTS : new Map(),
    overrides: parsed.overrides,
    started: ({ addresses, folders }) => {
      const [address] = addresses
      const lines = [
        '',
        `  Samsa ${version} is ready.`,
        '',
        `  address  ${addresses.join(', ')}`,
        `  data     ${folders.join(', ')}`,
        `  try      echo hello | kcat -P -b ${address} -t greetings`,
        `           kcat -C -b ${address} -t greetings -o beginning -e`,
        '  stop     Ctrl-C',
        '',
      ]
      console.log(lines.join('\n'))
    },
  })
}
