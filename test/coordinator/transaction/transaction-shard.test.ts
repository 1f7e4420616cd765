import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KafkaError } from '../../../src/common/errors.ts'
import { endTransaction } from '../../../src/coordinator/transaction/end-transaction.ts'
import { initializeProducer } from '../../../src/coordinator/transaction/initialize-producer.ts'
import { TopicPartitionSet } from '../../../src/coordinator/transaction/topic-partition-set.ts'
import {
  complete,
  fence,
  type TransactionMetadata,
} from '../../../src/coordinator/transaction/transaction-metadata.ts'
import { EXPIRATION_MS, TIMEOUT_MS, TransactionWorld } from './transaction-world.ts'

const LAST_USABLE_EPOCH = 0x7fff - 1

const LONG = { minLength: 5, maxLength: 60, size: 'max' } as const

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('init'), id: fc.nat(1), v: fc.nat(1) }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('write'), who: fc.nat(3), partition: fc.nat(2) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('end'), who: fc.nat(3), commit: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end-again'), who: fc.nat(3) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('deliver'), which: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.nat(600) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart'), arrive: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refuse') }) },
)

type Step = {
  do: string
  id?: number
  v?: number
  who?: number
  partition?: number
  commit?: boolean
  which?: number
  ms?: number
  arrive?: boolean
}

async function play(world: TransactionWorld, { do: what, ...step }: Step): Promise<string> {
  const { instances } = world
  // Mostly the newest ones: older ones are fenced, and not worth as much.
  const who = instances.at(-1 - (step.who ?? 0))
  switch (what) {
    case 'init':
      return await world.init(`tx${step.id}`, step.v === 1 ? 2 : 1)
    case 'write':
      return who === undefined ? 'NONE' : await world.write(who, step.partition!)
    case 'end':
      return who === undefined ? 'NONE' : await world.end(who, step.commit!)
    case 'end-again':
      return who === undefined ? 'NONE' : await world.endAgain(who)
    case 'deliver':
      await world.deliver((['all', 'some', 'none'] as const)[step.which!]!)
      return 'NONE'
    case 'advance':
      await world.harness.advance(step.ms!)
      return 'NONE'
    case 'restart':
      await world.restart(step.arrive!)
      return 'NONE'
    default:
      world.harness.storage.refuseNext('NOT_ENOUGH_REPLICAS')
      return 'NONE'
  }
}

test('whatever happens, transactions are committed or aborted as a whole', async () => {
  const met = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(step, LONG), fc.nat(4), async (steps, epochsLeft) => {
      const world = await TransactionWorld.start()
      await world.seed('tx0', LAST_USABLE_EPOCH - epochsLeft)
      for (const one of steps) met.add(await play(world, one))
      await world.finish()
    }),
    { numRuns: 500 },
  )
  for (const name of ['NONE', 'PRODUCER_FENCED', 'CONCURRENT_TRANSACTIONS', 'INVALID_TXN_STATE']) {
    assert.ok(met.has(name), `no step was answered ${name}`)
  }
  assert.ok(!met.has('UNKNOWN_SERVER_ERROR'))
})

test('transactional ids are forgotten when they have not been used for long', async () => {
  const world = await TransactionWorld.start()
  await world.init('idle', 1)
  await world.init('busy', 1)
  const busy = world.instances[1]!
  await world.harness.advance(EXPIRATION_MS - TIMEOUT_MS / 2)
  await world.write(busy, 0)
  await world.harness.advance(TIMEOUT_MS / 2 + 200)
  const known = (id: string) => world.harness.read((shard) => shard.get(id)?.state)
  assert.equal(await known('idle'), undefined)
  assert.equal(await known('busy'), 'Ongoing')
  await world.restart(false)
  assert.equal(await known('idle'), undefined)
  await world.finish()
})

const metadata = (fields: Partial<TransactionMetadata>): TransactionMetadata => ({
  transactionalId: 'tx',
  producerId: 1,
  producerEpoch: 0,
  previousProducerId: -1,
  nextProducerId: -1,
  timeoutMs: 1000,
  state: 'Ongoing',
  partitions: TopicPartitionSet.of([{ topic: 't', partitionIndex: 0 }]),
  startTimestampMs: 0,
  lastUpdateTimestampMs: 0,
  clientTransactionVersion: 2,
  ...fields,
})

const errorOf = (action: () => unknown): string => {
  try {
    action()
    return 'NONE'
  } catch (error) {
    if (error instanceof KafkaError) return error.errorName
    throw error
  }
}

test('with v2, the last epoch is followed by a new producer id', () => {
  const request = { transactionalId: 'tx', isCommit: true, clientTransactionVersion: 2 }
  const producer = { producerId: 1, producerEpoch: LAST_USABLE_EPOCH }
  const ongoing = metadata({ producerEpoch: LAST_USABLE_EPOCH })
  const end = (current: TransactionMetadata) =>
    endTransaction(current, { ...request, ...producer }, 5, () => 2)
  const prepared = end(ongoing)!
  assert.deepEqual(
    [prepared.state, prepared.producerId, prepared.producerEpoch, prepared.nextProducerId],
    ['PrepareCommit', 1, LAST_USABLE_EPOCH + 1, 2],
  )
  assert.equal(
    errorOf(() => end(prepared)),
    'CONCURRENT_TRANSACTIONS',
  )
  const completed = complete(prepared, 6)
  assert.deepEqual(
    [completed.state, completed.producerId, completed.producerEpoch, completed.previousProducerId],
    ['CompleteCommit', 2, 0, 1],
  )
  assert.equal(end(completed), undefined, 'a repetition is recognised by the id before')
  // Fenced with the very last epoch: that is for nobody to go on with.
  const aborted = complete(fence(ongoing, 5), 6)
  const abort = () => endTransaction(aborted, { ...request, ...producer, isCommit: false }, 7, fail)
  assert.equal(errorOf(abort), 'PRODUCER_FENCED')
  const expected = undefined
  const asked = { transactionalId: 'tx', timeoutMs: 1000, expected }
  const { next } = initializeProducer(aborted, -1, asked, 8, () => 3)
  assert.deepEqual([next.producerId, next.producerEpoch, next.state], [3, 0, 'Empty'])
})

test('a producer that lost the answer to its last epoch gets the same new id again', () => {
  const expected = { producerId: 1, producerEpoch: LAST_USABLE_EPOCH }
  const asked = { transactionalId: 'tx', timeoutMs: 1000, expected }
  const idle = metadata({ state: 'Empty', producerEpoch: LAST_USABLE_EPOCH })
  const first = initializeProducer(idle, -1, asked, 5, () => 2)
  assert.deepEqual([first.next.producerId, first.next.producerEpoch], [2, 0])
  const again = initializeProducer(first.next, first.previousEpoch, asked, 6, fail)
  assert.deepEqual([again.next.producerId, again.next.producerEpoch], [2, 0])
  const stranger = { ...asked, expected: { producerId: 9, producerEpoch: 0 } }
  assert.equal(
    errorOf(() => initializeProducer(first.next, first.previousEpoch, stranger, 6, fail)),
    'PRODUCER_FENCED',
  )
})

function fail(): never {
  throw new Error('no producer id is needed')
}
