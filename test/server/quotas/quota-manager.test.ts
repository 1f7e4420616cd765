import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SimulatedClock } from '../../../sim/simulated-clock.ts'
import { SimulatedDisk } from '../../../sim/simulated-disk.ts'
import { Simulation } from '../../../sim/simulation.ts'
import { createBrokerConfig } from '../../../src/common/config/broker-config.ts'
import { KafkaError } from '../../../src/common/errors.ts'
import { EmbeddedStore } from '../../../src/metadata/embedded-store.ts'
import { ensurePaths, type MetadataStore } from '../../../src/metadata/metadata-store.ts'
import { encodeConfig, PERSISTENT_PATHS } from '../../../src/metadata/znodes.ts'
import { ClientQuotas } from '../../../src/server/quotas/client-quotas.ts'
import { parseEntity } from '../../../src/server/quotas/quota-entity.ts'
import { QuotaManager } from '../../../src/server/quotas/quota-manager.ts'

/** Runs `body` with a store, and a clock that only moves when it is told to. */
async function withStore(body: (store: MetadataStore) => Promise<void>): Promise<void> {
  const simulation = new Simulation({ seed: 1 })
  const { clock, random } = simulation
  const disk = new SimulatedDisk({ clock, random })
  disk.makeDirectory('/data')
  disk.settle()
  await simulation.run(async () => {
    const service = await EmbeddedStore.open({ disk, clock, directory: '/data' })
    const store = await service.openSession()
    await ensurePaths(store, PERSISTENT_PATHS)
    await body(store)
    await service.close()
  })
}

function wait(clock: SimulatedClock, ms: number): void {
  clock.schedule(ms, () => {})
  clock.step()
}

type Parts = { user?: string | null; 'client-id'?: string | null; ip?: string | null }

function entity(parts: Parts) {
  return parseEntity(
    Object.entries(parts).map(([entityType, entityName]) => ({ entityType, entityName })),
  )
}

async function managed(store: MetadataStore) {
  const clock = new SimulatedClock()
  const quotas = new ClientQuotas()
  const manager = new QuotaManager({ quotas, clock, config: createBrokerConfig(new Map()) })
  await quotas.load(store)
  const set = (parts: Parts, key: string, value: number | null) =>
    quotas.alter(entity(parts), new Map([[key, value]]), false)
  return { clock, quotas, manager, set }
}

/** In the order in which they count. */
const LEVELS: readonly Parts[] = [
  { user: 'alice', 'client-id': 'etl' },
  { user: 'alice', 'client-id': null },
  { user: 'alice' },
  { user: null, 'client-id': 'etl' },
  { user: null, 'client-id': null },
  { user: null },
  { 'client-id': 'etl' },
  { 'client-id': null },
]

test('of the quotas that fit a client, the most particular counts', async () => {
  const levels = fc.subarray([...LEVELS.keys()], { minLength: 1 })
  await fc.assert(
    fc.asyncProperty(levels, async (present) => {
      await withStore(async (store) => {
        const { manager, set } = await managed(store)
        for (const level of present) {
          await set(LEVELS[level]!, 'producer_byte_rate', 1000 + level)
        }
        const client = { user: 'alice', clientId: 'etl' }
        assert.equal(manager.produce.burst(client), (1000 + Math.min(...present)) * 10)
        assert.equal(manager.fetch.isUsed, false)
      })
    }),
    { numRuns: 50 },
  )
})

test('who shares a quota: a user’s clients, or a client id’s users', async () => {
  await withStore(async (store) => {
    const { manager, set } = await managed(store)
    const throttled = (user: string, clientId: string, bytes: number) =>
      manager.produce.record({ user, clientId }, bytes) > 0
    await set({ user: 'alice' }, 'producer_byte_rate', 100)
    assert.equal(throttled('alice', 'a', 900), false)
    assert.equal(throttled('alice', 'b', 200), true)
    assert.equal(throttled('bob', 'b', 1e9), false)
    await set({ 'client-id': null }, 'producer_byte_rate', 100)
    assert.equal(throttled('bob', 'c', 900), false)
    assert.equal(throttled('carol', 'd', 900), false)
    assert.equal(throttled('carol', 'c', 200), true)
  })
})

test('ten seconds’ worth is free, and who waits gets on once the windows are past', async () => {
  const chunks = fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 500, max: 5000 }), async (sizes, limit) => {
      await withStore(async (store) => {
        const { clock, manager, set } = await managed(store)
        await set({ 'client-id': 'c' }, 'consumer_byte_rate', limit)
        const client = { user: 'ANONYMOUS', clientId: 'c' }
        let total = 0
        for (const size of sizes) {
          const waitMs = manager.fetch.record(client, size)
          total += size
          if (total <= limit * 10) assert.equal(waitMs, 0)
          wait(clock, waitMs)
          const waitedSince = clock.monotonic()
          for (let left = 1; left > 0; ) {
            left = manager.fetch.record(client, 0)
            assert.ok(clock.monotonic() - waitedSince <= 11_000)
            wait(clock, Math.min(left, 1000))
          }
        }
      })
    }),
    { numRuns: 30 },
  )
})

test('the wait is Kafka’s: twice the rate over ten seconds is ten seconds more', async () => {
  await withStore(async (store) => {
    const { clock, manager, set } = await managed(store)
    const client = { user: 'u', clientId: null }
    await set({ user: 'u' }, 'producer_byte_rate', 1000)
    assert.equal(manager.produce.record(client, 20_000), 10_000)
    manager.produce.takeBack(client, 20_000)
    assert.equal(manager.produce.record(client, 10_000), 0)
    wait(clock, 12_000)
    assert.equal(manager.produce.record(client, 10_000), 0)
    await set({ user: 'u' }, 'request_percentage', 1)
    // A hundred times too much would be a long wait; nobody waits longer than a window.
    assert.equal(manager.request.record(client, 1000), 1000)
    await set({ user: 'u' }, 'producer_byte_rate', null)
    assert.equal(manager.produce.isUsed, false)
    assert.equal(manager.produce.record(client, 1e12), 0)
  })
})

test('changes of topics: the strict are refused, the others wait', async () => {
  await withStore(async (store) => {
    const { clock, manager, set } = await managed(store)
    const client = { user: 'u', clientId: 'c' }
    await set({ user: 'u', 'client-id': 'c' }, 'controller_mutation_rate', 2)
    const strict = manager.mutations(client, true)
    strict.take(30)
    assert.equal(strict.throttleMs(), 0)
    const isQuotaError = (error: unknown) =>
      error instanceof KafkaError && error.errorName === 'THROTTLING_QUOTA_EXCEEDED'
    assert.throws(() => strict.take(1), isQuotaError)
    // 22 permits had been saved up; 8 too many take four seconds.
    assert.equal(strict.throttleMs(), 4000)
    const lenient = manager.mutations(client, false)
    lenient.take(2)
    assert.equal(lenient.throttleMs(), 5000)
    wait(clock, 5000)
    manager.mutations(client, true).take(1)
  })
})

test('quotas are kept beside what else is in their nodes, whatever the names', async () => {
  await withStore(async (store) => {
    const names = ['plain', 'a/b', '..', '<default>', 'ü*', '%2F', '\u0000']
    const scram = { 'SCRAM-SHA-256': 'salt=…' }
    await store.create('/config/users/plain', encodeConfig(scram))
    const { quotas, set } = await managed(store)
    for (const name of [...names, null]) {
      await set({ user: name }, 'producer_byte_rate', 5)
      await set({ user: name, 'client-id': name }, 'request_percentage', 0.5)
      await set({ 'client-id': name }, 'consumer_byte_rate', 2 ** 53)
    }
    await set({ ip: '10.0.0.1' }, 'connection_creation_rate', 7)
    const dump = (from: ClientQuotas) =>
      [...from.all()].map((each) => JSON.stringify([each.entity, [...each.quotas]])).sort()
    const again = await managed(store)
    assert.deepEqual(dump(again.quotas), dump(quotas))
    assert.equal(dump(quotas).length, 3 * 8 + 1)
    for (const { entity: each, quotas: values } of [...quotas.all()]) {
      const removal = new Map([...values.keys()].map((key) => [key, null] as const))
      await quotas.alter(each, removal, false)
    }
    assert.deepEqual(dump((await managed(store)).quotas), [])
    assert.equal((await store.get('/config/users/plain')).data.toString().includes('salt'), true)
    assert.deepEqual((await store.children('/config/clients')).names, [])
  })
})
