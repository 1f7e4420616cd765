/**
 * Go's clients: franz-go, which speaks the newest versions of all, and sarama. The Java consumer
 * reads what franz-go wrote, too.
 */
import { test } from 'node:test'
import { codecs } from './harness/clients.ts'
import type { ClientProgram } from './harness/contract.ts'
import { goClient, javaClient, transferFile } from './harness/file-transfer.ts'
import { paths } from './harness/paths.ts'
import { proveClients } from './harness/scenarios/index.ts'

const clients: ClientProgram[] = [
  {
    name: 'franz-go',
    command: [paths.goClient, 'franz'],
    codecs,
    groups: [
      { protocol: 'classic', assignor: 'cooperative-sticky' },
      { protocol: 'consumer', assignor: 'range' },
    ],
    idempotent: true,
    transactions: 'records',
    share: true,
    cannot: [],
  },
  {
    name: 'sarama',
    command: [paths.goClient, 'sarama'],
    codecs,
    groups: [{ protocol: 'classic' }],
    idempotent: true,
    transactions: 'records and offsets',
    share: false,
    cannot: [],
  },
]

test('a file goes through franz-go and comes back', { timeout: 600_000 }, (t) =>
  transferFile(t, goClient, [goClient, javaClient]),
)

test('the clients of Go', { timeout: 600_000 }, (t) => proveClients(t, clients))
