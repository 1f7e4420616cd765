import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { jsonDeserializer } from 'samsa/clients'
import { useTestCluster } from 'samsa/testing'
import { Billing } from '../billing.mjs'

const kafka = useTestCluster(
  { beforeAll, afterAll, beforeEach },
  { topics: { orders: { partitions: 3 }, invoices: {} } },
)

let billing
beforeEach(() => {
  billing = new Billing(kafka.bootstrapServers)
  billing.start()
})
afterEach(() => billing.stop())

async function invoices() {
  const deserializers = { value: jsonDeserializer() }
  const records = await kafka.readTopic('invoices', { deserializers })
  return Object.fromEntries(records.map(({ key, value }) => [key, value.total]))
}

const order = (key, ...prices) => ({ key, value: { items: prices.map((price) => ({ price })) } })

test('every order gets an invoice', async () => {
  await kafka.produce('orders', [order('ann', 3, 4), order('bob', 10), order('cid')])
  await kafka.waitForGroup('billing', { caughtUp: true })
  expect(await invoices()).toEqual({ ann: 7, bob: 10, cid: 0 })
})

test('an invoice is written though the broker refuses it at first', async () => {
  const fault = kafka.faults.answer('Produce', 'NOT_ENOUGH_REPLICAS', { times: 2 })
  await kafka.produce('orders', [order('ann', 3)])
  await fault.waitForHit({ count: 2 })
  await kafka.waitForGroup('billing', { caughtUp: true })
  expect(await invoices()).toEqual({ ann: 3 })
})

test('no order is forgotten when the broker dies', async () => {
  await kafka.produce('orders', [order('ann', 1)])
  await kafka.waitForGroup('billing', { caughtUp: true })
  await kafka.broker(1).kill()
  await kafka.broker(1).restart()
  await kafka.produce('orders', [order('bob', 2)])
  await kafka.waitForGroup('billing', { caughtUp: true })
  expect(await invoices()).toEqual({ ann: 1, bob: 2 })
})
