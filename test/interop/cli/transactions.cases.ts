/** kafka-transactions. */
import { Producer } from '../../../src/clients/producer/producer.ts'
import { createTopics } from '../harness/wire.ts'
import type { CliCase, Command, Side } from './compare.ts'

const alone = (...args: string[]): Command => ({ tool: 'kafka-transactions', args })
const run = (...args: string[]): Command => alone('--bootstrap-server', '{server}', ...args)

/** Where nobody listens. */
const lost = (...args: string[]): Command =>
  alone('--bootstrap-server', '127.0.0.1:1', '--command-config', '{file:admin.properties}', ...args)

/** Producers whose transactions stay open until `close`. */
class OpenTransactions {
  #producers: Producer[] = []

  /** Lets a transaction begin with a record in partition 0. */
  async open(side: Side, topic: string, transactionalId: string): Promise<void> {
    await createTopics(side.broker.port, [{ name: topic, partitions: 2 }])
    const producer = new Producer({ bootstrapServers: side.broker.address, transactionalId })
    this.#producers.push(producer)
    await producer.initTransactions()
    await producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'v' })
  }

  /** They may have been fenced by then. */
  async close(): Promise<void> {
    await Promise.all(this.#producers.map((producer) => producer.close().catch(() => {})))
    this.#producers = []
  }
}

const shared = new OpenTransactions()
const own = new OpenTransactions()
const openOwn = (side: Side): Promise<void> => own.open(side, side.id, side.id)
const at = ['--topic', '{id}', '--partition', '0']

export const cases: readonly CliCase[] = [
  {
    name: 'shows transactions and producers',
    before: async (side) => {
      if (side.name === 'kafka') await shared.open(side, 'cli-transactions', 'cli-open')
    },
    after: async (side) => {
      if (side.name === 'samsa') await shared.close()
    },
    // How long it has been open.
    masks: [[/\b\d+ +(?=\tcli-transactions-0 *\t$)/gm, 'DURATION']],
    commands: [
      run('list', '--transactional-id-pattern', 'cli-.*'),
      run('list', '--transactional-id-pattern', 'none'),
      run('list', '--transactional-id-pattern', 'cli-.*', '--duration-filter', '0'),
      run('list', '--duration-filter', '100000000'),
      run('describe', '--transactional-id', 'cli-open'),
      run('describe', '--transactional-id', 'absent'),
      run('describe-producers', '--topic', 'cli-transactions', '--partition', '0'),
      run('describe-producers', '--topic', 'cli-transactions', '--partition', '1'),
      run(
        'describe-producers',
        ...['--topic', 'cli-transactions', '--partition', '0', '--broker-id', '1'],
      ),
      run('find-hanging', '--topic', 'cli-transactions'),
      run('find-hanging', '--topic', 'cli-transactions', '--partition', '0'),
      run('find-hanging', '--broker-id', '1', '--max-transaction-timeout', '0'),
    ],
  },
  {
    name: 'ends transactions',
    before: openOwn,
    after: () => own.close(),
    masks: [
      // Ids of producers, and times.
      [/^\d+ +\t/gm, 'ID\t'],
      [/\b\d{13}\b/g, 'TIME'],
      [/producerId=\d+/g, 'producerId=ID'],
    ],
    commands: [
      run('abort', ...at, '--start-offset', '5'),
      run('abort', ...at),
      run('abort', ...at, '--producer-id', '1'),
      run('abort', ...at, '--producer-id', '1', '--producer-epoch', '0'),
      run('abort', ...at, '--start-offset', '0'),
      run('describe-producers', ...at),
      run('forceTerminateTransaction', '--transactionalId', '{id}'),
    ],
  },
  {
    name: 'no broker',
    independent: true,
    files: { 'admin.properties': 'default.api.timeout.ms=400\nrequest.timeout.ms=400\n' },
    commands: [
      lost('list'),
      lost('describe', '--transactional-id', 't'),
      lost('describe-producers', '--topic', 't', '--partition', '0'),
      lost('abort', '--topic', 't', '--partition', '0', '--start-offset', '0'),
      lost('find-hanging', '--broker-id', '1'),
      lost('find-hanging', '--topic', 't'),
      lost('forceTerminateTransaction', '--transactionalId', 't'),
    ],
  },
  {
    name: 'the command line',
    independent: true,
    commands: [
      alone(),
      alone('list'),
      alone('--version'),
      run(),
      run('no-such'),
      run('lsit'),
      run('describe'),
      run('describe', '--transactional-di', 'x'),
      run('describe', '--transactional-id'),
      run('describe', 'x'),
      run('describe-producers', '--topic', 't'),
      run('describe-producers', '--topic', 't', '--partition', 'x'),
      run('describe-producers', '--topic', 't', '--partition', '99999999999'),
      run('abort', '--topic', 't', '--partition', '0', '--producer-epoch', '40000'),
      run('find-hanging'),
      run('find-hanging', '--broker-id', '1', '--partition', '0'),
      run('forceTerminateTransaction'),
      run('list', '--dur=1', '--transactional-id-pattern=none'),
      alone('--bootstrap-server', 'here', 'list'),
      run('--command-config', '{file:absent}', 'list'),
    ],
    masks: [[/^4\.2\.1 \(.*\)$/gm, 'VERSION']],
  },
]
