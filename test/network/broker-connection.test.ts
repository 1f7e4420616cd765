import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedNetwork } from '../../sim/simulated-network.ts'
import { Simulation } from '../../sim/simulation.ts'
import { ErrorCode, type KafkaError } from '../../src/common/errors.ts'
import { SlabPool } from '../../src/common/slab.ts'
import { BrokerConnection } from '../../src/network/broker-connection.ts'
import { ApiVersions } from '../../src/protocol/messages/api-versions.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import { Heartbeat } from '../../src/protocol/messages/heartbeat.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { answer, type Script, ScriptedBroker } from '../clients/support/scripted-broker.ts'

const heartbeat = { groupId: 'g', generationId: 1, memberId: 'm' }
const alive = answer(Heartbeat, { errorCode: 0 })

/** A client and a broker of the given script; `open` connects. */
async function inSimulation(
  script: Script,
  task: (world: {
    broker: ScriptedBroker
    network: SimulatedNetwork
    simulation: Simulation
    open: (maxInFlight?: number) => Promise<BrokerConnection>
    closings: (KafkaError | undefined)[]
  }) => Promise<void>,
) {
  const simulation = new Simulation({ seed: 7 })
  const { clock, random } = simulation
  const network = new SimulatedNetwork({ clock, random })
  const closings: (KafkaError | undefined)[] = []
  await simulation.run(async () => {
    const broker = await new ScriptedBroker(script).listen(network.host('broker'), 'broker', 9092)
    const open = (maxInFlight = 5) =>
      BrokerConnection.open({
        ...{ network: network.host('client'), clock, host: 'broker', port: 9092, maxInFlight },
        ...{ clientId: 'test', connectTimeoutMs: 1000, requestTimeoutMs: 3000 },
        pool: new SlabPool({ poison: true }),
        software: { name: 'samsa', version: '1' },
        onClosed: (_, error) => closings.push(error),
      })
    await task({ broker, network, simulation, open, closings })
  })
}

test('the newest version that both sides know is used', async () => {
  await inSimulation(
    ({ api }) => (api.key === Heartbeat.key ? alive : undefined),
    async ({ broker, open }) => {
      broker.versions.set(Heartbeat, { min: 1, max: 3 })
      broker.versions.delete(Metadata)
      broker.versions.set(Fetch, { min: 0, max: 2 })
      broker.features = [{ name: 'transaction.version', level: 2 }]
      const connection = await open()
      await connection.send(Heartbeat, heartbeat)
      await connection.send(Heartbeat, heartbeat, { maxVersion: 2 })
      const asked = broker.requests.map(({ api, version }) => `${api.name} ${version}`)
      assert.deepEqual(asked, ['ApiVersions 4', 'Heartbeat 3', 'Heartbeat 2'])
      assert.equal(connection.features.get('transaction.version'), 2)
      const unsupported = { errorName: 'UNSUPPORTED_VERSION' }
      await assert.rejects(connection.send(Metadata, { topics: null }), unsupported)
      assert.equal(connection.supportedVersion(Fetch), undefined)
      assert.ok(connection.isOpen)
    },
  )
})

test('a broker that does not know our ApiVersions is asked in an older version', async () => {
  const refusing: Script = ({ api, version }) => {
    if (api.key !== ApiVersions.key || version <= 2) return undefined
    const apiKeys = [{ apiKey: ApiVersions.key, minVersion: 0, maxVersion: 2 }]
    return answer(ApiVersions, { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys }, 0)
  }
  await inSimulation(refusing, async ({ broker, open }) => {
    const connection = await open()
    assert.deepEqual(
      broker.requests.map(({ version }) => version),
      [4, 2],
    )
    assert.notEqual(connection.supportedVersion(Metadata), undefined)
  })
})

test('so many requests are under way at a time, and the others follow in order', async () => {
  let open = 0
  let most = 0
  const releases: (() => void)[] = []
  const slow: Script = async ({ api }) => {
    if (api.key !== Heartbeat.key) return undefined
    most = Math.max(most, ++open)
    await new Promise<void>((resolve) => releases.push(resolve))
    open -= 1
    return alive
  }
  await inSimulation(slow, async ({ open: connect, simulation }) => {
    const connection = await connect(2)
    const order: number[] = []
    const all = [0, 1, 2, 3, 4].map((index) =>
      connection.send(Heartbeat, heartbeat).then(() => order.push(index)),
    )
    assert.equal(connection.inFlight, 5)
    const letGo = () => {
      for (const release of releases.splice(0)) release()
      if (order.length < 5) simulation.clock.schedule(5, letGo)
    }
    letGo()
    await Promise.all(all)
    assert.deepEqual(order, [0, 1, 2, 3, 4])
    assert.equal(most, 2)
  })
})

test('an answer that does not come fails all that was asked, and ends the connection', async () => {
  await inSimulation(
    ({ api }) => (api.key === Heartbeat.key ? 'drop' : undefined),
    async ({ open, simulation, closings }) => {
      const connection = await open()
      const startMs = simulation.clock.monotonic()
      const timedOut = { errorName: 'REQUEST_TIMED_OUT', retriable: true }
      const first = connection.send(Heartbeat, heartbeat, { timeoutMs: 500 })
      const second = connection.send(Heartbeat, heartbeat)
      await Promise.all([assert.rejects(first, timedOut), assert.rejects(second, timedOut)])
      assert.ok(Math.abs(simulation.clock.monotonic() - startMs - 500) < 2)
      assert.equal(connection.isOpen, false)
      await assert.rejects(connection.send(Heartbeat, heartbeat), timedOut)
      assert.equal(closings[0]?.errorName, 'REQUEST_TIMED_OUT')
    },
  )
})

test('a connection that cannot be made, or breaks, is a retriable error', async () => {
  await inSimulation(
    ({ api }) => (api.key === Heartbeat.key ? 'close' : undefined),
    async ({ open, broker, network }) => {
      const connection = await open()
      const lost = { errorName: 'NETWORK_EXCEPTION', retriable: true }
      await assert.rejects(connection.send(Heartbeat, heartbeat), lost)
      network.cut('client', 'broker')
      await assert.rejects(open(), lost)
      network.heal()
      await broker.stop()
      await assert.rejects(open(), lost)
    },
  )
})

test('bytes that are no answer end the connection', async () => {
  const noAnswers = ['00000005000000639900', 'ffffffff', '0000000100', '00000000']
  for (const hex of noAnswers) {
    const script: Script = ({ api }) =>
      api.key === Heartbeat.key ? { bytes: Buffer.from(hex, 'hex') } : undefined
    await inSimulation(script, async ({ open }) => {
      const connection = await open()
      const lost = { errorName: 'NETWORK_EXCEPTION', message: /sent what is not a response/ }
      await assert.rejects(connection.send(Heartbeat, heartbeat), lost)
      assert.equal(connection.isOpen, false)
    })
  }
})
