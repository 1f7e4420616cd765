/** Rust's client: the crate rdkafka, with the librdkafka that it brings along. */
import { test } from 'node:test'
import { codecs } from './harness/clients.ts'
import type { ClientProgram } from './harness/contract.ts'
import { paths } from './harness/paths.ts'
import { proveClients } from './harness/scenarios/index.ts'

const client: ClientProgram = {
  name: 'rdkafka',
  command: [paths.rustClient],
  codecs,
  groups: [{ protocol: 'classic' }],
  idempotent: true,
  transactions: 'records and offsets',
  share: false,
  cannot: [],
}

test('the clients of Rust', { timeout: 600_000 }, (t) => proveClients(t, [client]))
