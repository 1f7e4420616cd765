/**
 * Python's clients: confluent-kafka, which is librdkafka at its newest, and kafka-python, once as
 * it was for years (2.0.2, which guesses the broker's version from what it offers), once as it is.
 */
import { test } from 'node:test'
import { codecs } from './harness/clients.ts'
import type { ClientProgram } from './harness/contract.ts'
import { pythonProgram } from './harness/paths.ts'
import { proveClients } from './harness/scenarios/index.ts'

const clients: ClientProgram[] = [
  {
    name: 'confluent-kafka',
    command: pythonProgram('confluent-kafka', 'confluent_client.py'),
    codecs,
    groups: [{ protocol: 'classic', assignor: 'cooperative-sticky' }, { protocol: 'consumer' }],
    idempotent: true,
    transactions: 'records and offsets',
    share: true,
    cannot: [],
  },
  {
    name: 'kafka-python-2.0.2',
    command: pythonProgram('kafka-python-2.0.2', 'kafka_python_client.py'),
    codecs,
    groups: [{ protocol: 'classic' }],
    idempotent: false,
    transactions: 'none',
    share: false,
    cannot: ['delete-records'],
  },
  {
    name: 'kafka-python',
    command: pythonProgram('kafka-python', 'kafka_python_client.py'),
    codecs,
    groups: [{ protocol: 'classic', assignor: 'cooperative-sticky' }],
    idempotent: true,
    transactions: 'records and offsets',
    share: false,
    cannot: [],
  },
]

test('the clients of Python', { timeout: 600_000 }, (t) => proveClients(t, clients))
