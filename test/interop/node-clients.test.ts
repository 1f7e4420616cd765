/** Node's clients: kafkajs, which stopped at the versions of 2020, and @platformatic/kafka. */
import { join } from 'node:path'
import { test } from 'node:test'
import { codecs } from './harness/clients.ts'
import type { ClientProgram } from './harness/contract.ts'
import { paths } from './harness/paths.ts'
import { proveClients } from './harness/scenarios/index.ts'

const program = (name: string): [string, string] => [
  process.execPath,
  join(paths.nodeClients, name),
]

const clients: ClientProgram[] = [
  {
    name: 'kafkajs',
    command: program('kafkajs-client.mjs'),
    codecs,
    groups: [{ protocol: 'classic' }],
    idempotent: true,
    transactions: 'records and offsets',
    share: false,
    cannot: [],
  },
  {
    name: 'platformatic',
    command: program('platformatic-client.mjs'),
    codecs,
    groups: [{ protocol: 'classic' }, { protocol: 'consumer' }],
    idempotent: true,
    transactions: 'records',
    // Version 2.12 remembers one aborted transaction of a producer in each answer to Fetch.
    mostAborted: 1,
    share: false,
    cannot: [],
  },
]

test('the clients of Node', { timeout: 600_000 }, (t) => proveClients(t, clients))
