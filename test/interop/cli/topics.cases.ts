/** kafka-topics. */
import { createTopics } from '../harness/wire.ts'
import type { CliCase, Command } from './compare.ts'

const run = (...args: string[]): Command => ({ tool: 'kafka-topics', args })
const on = (...args: string[]): Command => run('--bootstrap-server', '{server}', ...args)

/** A topic of this side, `{id}`, and `{id}.b`, with a setting. */
const before: CliCase['before'] = ({ broker, id }) =>
  createTopics(broker.port, [
    { name: id, partitions: 3 },
    { name: `${id}.b`, configs: { 'retention.ms': '5000', 'cleanup.policy': 'compact' } },
  ])

export const cases: readonly CliCase[] = [
  {
    name: 'create',
    commands: [
      on('--create', '--topic', '{id}', '--partitions', '2', '--replication-factor', '1'),
      on('--create', '--topic', '{id}', '--partitions', '2'),
      on('--create', '--topic', '{id}', '--if-not-exists'),
      on('--create', '--topic={id}_b', '--config', 'retention.ms=1000', '--config', 'flush.ms = 1'),
      on('--create', '--topic', '{id}-c', '--replica-assignment', '1,1,1'),
      on('--create', '--topic', '{id}-d'),
      on('--describe', '--topic', '{id}.*', '--exclude-internal'),
      on('--describe', '--topic', '{id}.*', '--topics-with-overrides'),
    ],
    // Ours go by their names, Kafka's by the hash of these.
    unordered: true,
  },
  {
    name: 'create, refused',
    commands: [
      on('--create', '--topic', '{id}', '--replication-factor', '3'),
      on('--create', '--topic', '{id}', '--replication-factor', '0'),
      on('--create', '--topic', '{id}', '--replication-factor', '40000'),
      on('--create', '--topic', '{id}', '--partitions', '0'),
      on('--create', '--topic', '{id}', '--partitions', 'x'),
      on('--create', '--topic', 'a/b', '--partitions', '1'),
      on('--create', '--topic', '.'),
      on('--create', '--topic', ''),
      on('--create', '--topic', '{id}', '--config', 'no.such=1'),
      on('--create', '--topic', '{id}', '--config', 'retention.ms=x'),
      on('--create', '--topic', '{id}', '--config', 'retention.ms'),
      on('--create', '--topic', '{id}', '--config', 'cleanup.policy=a=b'),
      on('--create', '--topic', '{id}', '--config', 'cleanup.policy=shred'),
      on('--create', '--topic', '{id}', '--replica-assignment', '1:1'),
      on('--create', '--topic', '{id}', '--replica-assignment', '1,1:2'),
      on('--create', '--topic', '{id}', '--replica-assignment', '7'),
      on('--create', '--topic', '{id}', '--replica-assignment', 'one'),
    ],
  },
  {
    name: 'list and describe',
    before,
    commands: [
      on('--list', '--topic', '{id}'),
      on('--list', '--topic', '{id}.*'),
      on('--list', '--topic', '"{id},{id}.b"'),
      on('--list', '--topic', '{id}-none'),
      on('--list', '--topic', '('),
      on('--list', '--exclude-internal', '--topic', '__.*'),
      on('--describe', '--topic', '{id}'),
      on('--describe', '--topic', '{id}.b'),
      on('--describe', '--topic', '{id}.b', '--topics-with-overrides'),
      on('--describe', '--topic', '{id}', '--partition-size-limit-per-response', '1'),
      ...['under-replicated', 'unavailable', 'under-min-isr', 'at-min-isr'].map((report) =>
        on('--describe', '--topic', '{id}', `--${report}-partitions`),
      ),
      on('--describe', '--topic', '{id}-none'),
      on('--describe', '--topic', '{id}-none', '--if-exists'),
      on('--describe', '--topic-id', 'AAAAAAAAAAAAAAAAAAAAbQ'),
      on('--describe', '--topic-id', 'AAAAAAAAAAAAAAAAAAAAbQ', '--if-exists'),
      on('--describe', '--topic-id', 'AAAAAAAAAAAAAAAAAAAAbQ', '--if-exists', '--topic', 'x'),
    ],
  },
  {
    name: 'alter and delete',
    before,
    commands: [
      on('--alter', '--topic', '{id}', '--partitions', '5'),
      on('--alter', '--topic', '{id}', '--partitions', '5'),
      on('--alter', '--topic', '{id}', '--partitions', '2'),
      on('--alter', '--topic', '{id}', '--partitions', '6', '--replica-assignment', '1,1,1,1,1,1'),
      on('--alter', '--topic', '{id}', '--partitions', '8', '--replica-assignment', '1,1,1,1,1,1'),
      on('--alter', '--topic', '{id}-none', '--partitions', '5'),
      on('--alter', '--topic', '{id}-none', '--partitions', '5', '--if-exists'),
      on('--describe', '--topic', '{id}'),
      on('--delete', '--topic', '{id}'),
      on('--delete', '--topic', '{id}-none'),
      on('--delete', '--topic', '{id}-none', '--if-exists'),
      on('--list', '--topic', '{id}'),
    ],
  },
  {
    name: 'the command line',
    // A set, in an order that Java throws dice for.
    masks: [[/\[config\], \[bootstrap-server\]/, '[bootstrap-server], [config]']],
    files: { broken: 'no.such.key=1\ndefault.api.timeout.ms=x\n', fine: 'client.id=me\na.b=c\n' },
    commands: [
      run(),
      run('--help'),
      run('--list', '--help'),
      run('--no-such'),
      run('--bootstrap-server', '{server}'),
      run('--list'),
      run('--list', '--create', '--topic', 'x'),
      on('--create'),
      on('--delete'),
      on('--alter', '--topic', '{id}'),
      on('--list', '--topic'),
      on('--list', '--topic', 'a', '--topic', 'b'),
      on('--list', '--partitions', '1'),
      on('--list', '--if-exists'),
      on('--describe', '--if-exists'),
      on('--describe', '--if-not-exists'),
      on('--create', '--topic', 'x', '--exclude-internal'),
      on('--create', '--topic', 'x', '--replica-assignment', '1', '--partitions', '1'),
      on('--alter', '--topic', 'x', '--config', 'a=b', '--partitions', '1'),
      on('--alter', '--topic', 'x', '--replication-factor', '2', '--partitions', '1'),
      on('--describe', '--under-replicated-partitions', '--topics-with-overrides'),
      on('--list', '--topic', '{id}', '--delete-config', 'x'),
      on('-list', '-topic={id}'),
      on('--list', '--topic={id}', '--', '--no-such'),
      on('--list', '--topic={id}', 'stray', 'arguments'),
      on('--list', '--command-config', '{file:absent}'),
      on('--list', '--topic', '{id}', '--command-config', '{file:fine}'),
      on('--list', '--command-config', '{file:broken}'),
      run('--bootstrap-server', 'nowhere', '--list'),
      run('--bootstrap-server', 'a.invalid:9092', '--list'),
    ],
  },
  {
    name: 'an unreachable broker',
    independent: true,
    files: { hasty: 'default.api.timeout.ms=1500\nrequest.timeout.ms=1500\n' },
    commands: ['--list', '--create'].map((action) =>
      run(
        ...['--bootstrap-server', '127.0.0.1:1', action, '--topic', 'x'],
        ...['--command-config', '{file:hasty}'],
      ),
    ),
  },
]
