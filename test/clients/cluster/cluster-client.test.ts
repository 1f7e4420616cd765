import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterClient } from '../../../src/clients/cluster/cluster-client.ts'
import { ClosedError, TimeoutError } from '../../../src/clients/errors.ts'
import { ErrorCode } from '../../../src/common/errors.ts'
import { FindCoordinator } from '../../../src/protocol/messages/find-coordinator.ts'
import { Heartbeat } from '../../../src/protocol/messages/heartbeat.ts'
import { Metadata } from '../../../src/protocol/messages/metadata.ts'
import { ClientWorld, metadataAnswer } from '../support/client-world.ts'
import { answer, type Script } from '../support/scripted-broker.ts'

const heartbeat = { groupId: 'g', generationId: 1, memberId: 'm' }

const metadata =
  (...args: Parameters<typeof metadataAnswer>): Script =>
  ({ api }) =>
    api.key === Metadata.key ? metadataAnswer(...args) : undefined

async function leaderOf(client: ClusterClient, timeoutMs?: number) {
  const limits = client.limits({ timeoutMs })
  return await client.retry(limits, () => client.leader('t', 0, limits))
}

test('one bootstrap server that answers is enough', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    await world.broker(2, metadata([2], { leaderId: 2 }))
    const client = world.client()
    assert.equal((await leaderOf(client)).leaderId, 2)
    assert.deepEqual([...client.metadata.brokers.keys()], [2])
    client.close()
  })
})

test('without a broker a call ends at its deadline and says why', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    const client = world.client()
    const { clock } = world.environment
    const startMs = clock.monotonic()
    await assert.rejects(leaderOf(client, 5000), (error: unknown) => {
      assert.ok(error instanceof TimeoutError)
      assert.match(error.message, /5000 ms: Connection to broker-\d:9092 could not be/)
      return true
    })
    assert.ok(Math.abs(clock.monotonic() - startMs - 5000) < 2)
  })
})

test('a broker that comes back after 30 s is found again', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    const broker = await world.broker(1, metadata([1]))
    const client = world.client()
    await leaderOf(client)
    await broker.stop()
    world.environment.clock.schedule(30_000, () => void world.broker(1, metadata([1])))
    client.invalidate()
    assert.equal((await leaderOf(client)).leaderId, 1)
  })
})

test('an AbortSignal and a close end a call at once', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    const client = world.client()
    const controller = new AbortController()
    const limits = client.limits({ signal: controller.signal })
    const aborted = client.retry(limits, () => client.leader('t', 0, limits))
    world.environment.clock.schedule(70, () => controller.abort(new Error('enough')))
    await assert.rejects(aborted, /enough/)
    const closed = leaderOf(client)
    world.environment.clock.schedule(100, () => client.close())
    await assert.rejects(closed, ClosedError)
  })
})

test('an answer with an older leader epoch does not count', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    const broker = await world.broker(1, metadata([1, 2], { leaderId: 2, leaderEpoch: 5 }))
    const client = world.client({ bootstrapServers: ['broker-1:9092'] })
    assert.equal((await leaderOf(client)).leaderId, 2)
    broker.script = metadata([1, 2], { leaderId: 1, leaderEpoch: 4 })
    client.invalidate()
    assert.deepEqual((await leaderOf(client)).leaderId, 2)
    client.noteLeader('t', 0, 1, 6)
    client.noteLeader('t', 0, 2, 6)
    assert.equal((await leaderOf(client)).leaderId, 1)
  })
})

test('calls that need metadata at the same time share one request', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    const broker = await world.broker(1, metadata([1]))
    const client = world.client({ bootstrapServers: 'broker-1:9092' })
    await Promise.all(Array.from({ length: 20 }, () => leaderOf(client)))
    assert.equal(broker.count(Metadata), 1)
  })
})

test('a coordinator that moves is looked for again', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    let coordinator = 1
    const script =
      (id: number): Script =>
      ({ api }) => {
        if (api.key === Metadata.key) return metadataAnswer([1, 2])
        if (api.key === FindCoordinator.key) {
          const found = { key: 'g', nodeId: coordinator, host: `broker-${coordinator}`, port: 9092 }
          const coordinators = [{ ...found, errorCode: 0, errorMessage: null }]
          return answer(FindCoordinator, { coordinators })
        }
        if (api.key !== Heartbeat.key) return undefined
        const errorCode = id === coordinator ? ErrorCode.NONE : ErrorCode.NOT_COORDINATOR
        return answer(Heartbeat, { errorCode })
      }
    const one = await world.broker(1, script(1))
    const two = await world.broker(2, script(2))
    const client = world.client({ bootstrapServers: 'broker-1:9092' })
    const send = async () => {
      const limits = client.limits()
      const options = { errorOf: (response: { errorCode: number }) => response.errorCode }
      const to = ['group', 'g'] as const
      return await client.sendToCoordinator(to, Heartbeat, heartbeat, limits, options)
    }
    await send()
    coordinator = 2
    assert.equal((await send()).errorCode, ErrorCode.NOT_COORDINATOR)
    assert.equal((await send()).errorCode, ErrorCode.NONE)
    assert.deepEqual([one.count(Heartbeat), two.count(Heartbeat)], [2, 1])
    const told = world.events.filter((event) => 'api' in event && event.api === 'Heartbeat')
    assert.equal(told.length, 3)
  })
})
