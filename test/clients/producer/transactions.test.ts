import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Admin } from '../../../src/clients/admin/admin.ts'
import { isFatal } from '../../../src/clients/errors.ts'
import { Producer } from '../../../src/clients/producer/producer.ts'
import { fetch, recordsIn } from '../../support/requests.ts'
import { TestBroker } from '../../support/test-broker.ts'

interface World {
  readonly admin: Admin
  readonly producer: (transactionalId?: string) => Producer
  /** The values that a read_committed consumer sees in partition 0. */
  readonly committed: () => Promise<(string | null)[]>
}

async function inVersion(version: 1 | 2, task: (world: World) => Promise<void>) {
  await using broker = await TestBroker.start()
  const servers = { bootstrapServers: `127.0.0.1:${broker.port}` }
  await using admin = new Admin(servers)
  await admin.createTopics([{ topic: 't', partitions: 2 }])
  if (version === 1) {
    await admin.updateFeatures({ 'transaction.version': { level: 0, change: 'unsafeDowngrade' } })
  }
  const producers: Producer[] = []
  const producer = (transactionalId = 'tx') => {
    producers.push(new Producer({ ...servers, transactionalId, lingerMs: 1 }))
    return producers.at(-1)!
  }
  const committed = async () => {
    const [latest] = await admin.listOffsets([{ topic: 't', partition: 0, at: 'latest' }])
    const client = await broker.connect()
    const { bytes, abortedTransactions } = await fetch(client, 't', { readCommitted: true })
    assert.ok(latest !== undefined && abortedTransactions !== null)
    const aborted = new Set(abortedTransactions.map(({ firstOffset }) => firstOffset))
    // Each transaction of these tests that was aborted has one record in the partition.
    return recordsIn(bytes)
      .filter(({ offset, value }) => !aborted.has(offset) && /^[a-z]/.test(value ?? ''))
      .map(({ value }) => value)
  }
  await task({ admin, producer, committed })
  for (const each of producers) await each.close({ timeoutMs: 1000 })
}

for (const version of [1, 2] as const) {
  test(`version ${version}: what is committed is seen, what is aborted is not`, async () => {
    await inVersion(version, async ({ admin, producer, committed }) => {
      const one = producer()
      await one.initTransactions()
      assert.throws(() => one.post({ topic: 't', value: 'x' }), { name: 'IllegalStateError' })
      for (const value of ['first', 'second']) {
        one.beginTransaction()
        one.post({ topic: 't', partition: 0, value })
        one.post({ topic: 't', partition: 1, value })
        const offset = value === 'first' ? 5 : 7
        await one.sendOffsetsToTransaction([{ topic: 't', partition: 0, offset }], 'g')
        await one.commitTransaction()
        one.beginTransaction()
        await one.send({ topic: 't', partition: 0, value: 'aborted' })
        await one.sendOffsetsToTransaction([{ topic: 't', partition: 0, offset: 99 }], 'g')
        const pending = assert.rejects(one.send({ topic: 't', partition: 1, value: 'dropped' }), {
          errorName: 'TRANSACTION_ABORTABLE',
        })
        await one.abortTransaction()
        await pending
      }
      one.beginTransaction()
      await one.commitTransaction()
      assert.deepEqual(await committed(), ['first', 'second'])
      const [offset] = await admin.listGroupOffsets('g', { requireStable: true })
      assert.equal(offset?.offset, 7)
    })
  })

  test(`version ${version}: an error ends a transaction, and the next works`, async () => {
    await inVersion(version, async ({ admin, producer, committed }) => {
      const set = { 'max.message.bytes': '1000' }
      await admin.alterConfigs([{ type: 'topic', name: 't', set }])
      const one = producer()
      await one.initTransactions()
      one.beginTransaction()
      await one.send({ topic: 't', partition: 0, value: 'before' })
      const lost = { errorName: 'MESSAGE_TOO_LARGE' }
      await assert.rejects(one.send({ topic: 't', value: 'x'.repeat(2000) }), lost)
      assert.throws(() => one.post({ topic: 't', value: 'x' }), lost)
      await assert.rejects(one.commitTransaction(), lost)
      await one.abortTransaction()
      one.beginTransaction()
      await one.send({ topic: 't', partition: 0, value: 'after' })
      await one.commitTransaction()
      assert.deepEqual(await committed(), ['after'])
    })
  })

  test(`version ${version}: closing aborts what is open`, async () => {
    await inVersion(version, async ({ admin, producer, committed }) => {
      const one = producer()
      await one.initTransactions()
      one.beginTransaction()
      one.post({ topic: 't', partition: 0, value: 'open' })
      await one.close()
      const found = await admin.describeTransactions(['tx'])
      assert.equal(found.get('tx')?.state, 'CompleteAbort')
      assert.deepEqual(await committed(), [])
    })
  })

  test(`version ${version}: a newer producer of the same id fences the older`, async () => {
    await inVersion(version, async ({ producer, committed }) => {
      const [old, young] = [producer(), producer()]
      await old.initTransactions()
      old.beginTransaction()
      await old.send({ topic: 't', partition: 0, value: 'old' })
      await young.initTransactions()
      await assert.rejects(old.commitTransaction(), (error: unknown) => {
        return isFatal(error) && error instanceof Error
      })
      await assert.rejects(old.abortTransaction(), isFatal)
      young.beginTransaction()
      await young.send({ topic: 't', partition: 0, value: 'young' })
      await young.commitTransaction()
      assert.deepEqual(await committed(), ['young'])
    })
  })
}
