import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Admin } from '../../src/clients/admin/admin.ts'
import type { PartitionProducers } from '../../src/clients/admin/partitions.ts'
import { KafkaError, PartialFailureError } from '../../src/clients/errors.ts'
import { parseArguments } from '../../src/tools/support/argparse.ts'
import { TRANSACTIONS_PARSER } from '../../src/tools/transactions/arguments.ts'
import { findHanging } from '../../src/tools/transactions/find-hanging.ts'

const NOW_MS = 10_000_000
const MINUTE_MS = 60_000

/** A producer that has written so many minutes ago; open, unless it says otherwise. */
function producer(producerId: number, minutesAgo: number, transactionStartOffset?: number) {
  return {
    ...{ producerId, producerEpoch: 0, lastSequence: 0, coordinatorEpoch: 0 },
    ...{ lastTimestamp: NOW_MS - minutesAgo * MINUTE_MS, transactionStartOffset },
  }
}

/** Of two partitions: who writes to them, and of what the coordinator knows. */
function cluster(): Admin {
  const partitions: PartitionProducers[] = [
    {
      ...{ topic: 't', partition: 0 },
      producers: [
        producer(1, 20, 5),
        producer(2, 20, 6),
        producer(3, 20),
        producer(4, 5, 7),
        producer(5, 20, 8),
      ],
    },
    { topic: 't', partition: 1, producers: [producer(1, 20, 9)] },
  ]
  const known = new Map([
    [1, { transactionalId: 'one', partitions: [{ topic: 't', partition: 1 }] }],
    [5, { transactionalId: 'five', partitions: [] }],
  ])
  const members: Partial<Admin> = {
    listTopics: async () => [{ name: 't' }] as never,
    describeTopics: async () =>
      new Map([
        ['t', { partitions: partitions.map((one) => ({ ...one, replicas: [1] })) }],
      ]) as never,
    describeProducers: async (asked) =>
      partitions.filter((one) => [...asked].some(({ partition }) => partition === one.partition)),
    listTransactions: async ({ producerIds } = {}) =>
      [...known]
        .filter(([producerId]) => producerIds?.includes(producerId))
        .map(([producerId, { transactionalId }]) => ({ producerId, transactionalId })) as never,
    describeTransactions: async () => {
      const found = [...known.values()].filter(({ transactionalId }) => transactionalId === 'one')
      const failure = new KafkaError('TRANSACTIONAL_ID_NOT_FOUND')
      throw new PartialFailureError(
        new Map([['five', failure]]),
        new Map(found.map((one) => [one.transactionalId, one])),
      )
    },
  }
  return members as Admin
}

async function hanging(...args: string[]): Promise<string[]> {
  const parsed = parseArguments(TRANSACTIONS_PARSER, [
    ...['--bootstrap-server', 'a:1', 'find-hanging', ...args],
  ])
  const found = await findHanging(cluster(), parsed, NOW_MS)
  return found.map((one) => `${one.partition}: ${one.producer.producerId}`)
}

test('a transaction hangs that is old and that no coordinator is going to end', async () => {
  // 1 is known, but not in this partition; 2 to nobody; 3 has none open; 4 may go on for a while;
  // the coordinator has forgotten 5 between the two questions.
  assert.deepEqual(await hanging('--topic', 't'), ['0: 1', '0: 2', '0: 5'])
  assert.deepEqual(await hanging('--broker-id', '1'), ['0: 1', '0: 2', '0: 5'])
  assert.deepEqual(await hanging('--broker-id', '2'), [])
  assert.deepEqual(await hanging('--topic', 't', '--partition', '1'), [])
  const patient = ['--topic', 't', '--max-transaction-timeout', '4']
  assert.deepEqual(await hanging(...patient), ['0: 1', '0: 2', '0: 4', '0: 5'])
})
