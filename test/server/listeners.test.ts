import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorName } from '../../src/common/errors.ts'
import { DescribeCluster } from '../../src/protocol/messages/describe-cluster.ts'
import { IncrementalAlterConfigs } from '../../src/protocol/messages/incremental-alter-configs.ts'
import { TestBroker } from '../support/test-broker.ts'
import { TestClient } from '../support/test-client.ts'

const [SET, DELETE] = [0, 1]

async function change(client: TestClient, configs: [string, number, string | null][]) {
  const { responses } = await client.send(IncrementalAlterConfigs, 1, {
    resources: [
      {
        ...{ resourceType: 4, resourceName: '1' },
        configs: configs.map(([name, configOperation, value]) => ({
          ...{ name, configOperation, value },
        })),
      },
    ],
    validateOnly: false,
  })
  return errorName(responses[0]!.errorCode)
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5)
}

test('listeners are added and taken away while the broker runs', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  const { port } = broker
  const listeners = 'PLAINTEXT://127.0.0.1:0,EXTRA://127.0.0.1:0'
  // A name that no protocol is known for is refused, and nothing has changed.
  assert.equal(await change(client, [['listeners', SET, listeners]]), 'INVALID_REQUEST')
  const map = 'PLAINTEXT:PLAINTEXT,EXTRA:PLAINTEXT'
  const both: [string, number, string][] = [
    ['listener.security.protocol.map', SET, map],
    ['listeners', SET, listeners],
  ]
  assert.equal(await change(client, both), 'NONE')
  await until(() => broker.broker.ports.has('EXTRA'))
  assert.equal(broker.port, port)
  const extraPort = broker.broker.ports.get('EXTRA')!
  const extra = await TestClient.connect(extraPort)
  const told = async (of: TestClient) => {
    const { brokers } = await of.send(DescribeCluster, 1, {
      ...{ includeClusterAuthorizedOperations: false },
    })
    return brokers[0]?.port
  }
  await until(() => broker.broker.addresses.length === 2)
  assert.equal(await told(extra), extraPort)
  assert.equal(await told(client), port)
  assert.equal(await change(client, [['listeners', DELETE, null]]), 'NONE')
  await extra.closed
  await until(() => !broker.broker.ports.has('EXTRA'))
  await assert.rejects(TestClient.connect(extraPort), /ECONNREFUSED/)
  assert.equal(await told(client), port)
  assert.deepEqual(broker.logLines, [])
})
