import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ErrorCode, errorName } from '../../src/common/errors.ts'
import { AlterReplicaLogDirs } from '../../src/protocol/messages/alter-replica-log-dirs.ts'
import { DescribeLogDirs } from '../../src/protocol/messages/describe-log-dirs.ts'
import { batchOf, createTopic, produce, readAll } from '../support/requests.ts'
import { TestBroker } from '../support/test-broker.ts'
import type { TestClient } from '../support/test-client.ts'

async function move(client: TestClient, path: string, topic: string, partitions = [0]) {
  const { results } = await client.send(AlterReplicaLogDirs, 2, {
    dirs: [{ path, topics: [{ name: topic, partitions }] }],
  })
  return results[0]!.partitions.map(({ errorCode }) => errorName(errorCode))
}

/** Where the replicas of a topic are: `<folder>:<partition>`, and `?` behind a copy. */
async function places(client: TestClient, topic: string) {
  const { results } = await client.send(DescribeLogDirs, 4, { topics: null })
  return results.flatMap(({ logDir, topics, totalBytes }) => {
    assert.ok(totalBytes > 0)
    const ofTopic = topics.find(({ name }) => name === topic)?.partitions ?? []
    return ofTopic.map(
      ({ partitionIndex, isFutureKey }) =>
        `${logDir.split('/').at(-1)}:${partitionIndex}${isFutureKey ? '?' : ''}`,
    )
  })
}

test('a replica moves to another folder under a load of writes, and none is lost', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'samsa-test-'))
  after(() => rmSync(parent, { recursive: true, force: true }))
  const folders = ['one', 'two'].map((name) => join(parent, name))
  await using broker = await TestBroker.start({ 'log.dirs': folders.join(',') })
  const client = await broker.connect()
  await createTopic(client, 't')
  const large = 'x'.repeat(100_000)
  const written: string[] = []
  const write = async (value: string) => {
    const { errorCode } = await produce(client, 't', batchOf([value]))
    assert.equal(errorCode, ErrorCode.NONE)
    written.push(value.slice(0, 20))
  }
  for (let i = 0; i < 60; i++) await write(`${i} ${large}`)
  const [from] = await places(client, 't')
  const target = from === 'one:0' ? folders[1]! : folders[0]!
  const to = from === 'one:0' ? 'two:0' : 'one:0'
  const other = await broker.connect()
  assert.deepEqual(await move(other, target, 't'), ['NONE'])
  for (let i = 0; (await places(other, 't')).join() !== to; i++) await write(`during ${i}`)
  await write('after')
  const values = async (of: TestClient) =>
    (await readAll(of, 't')).map((value) => value?.slice(0, 20))
  assert.deepEqual(await values(client), written)
  await broker.close()
  await broker.open()
  const again = await broker.connect()
  assert.deepEqual(await values(again), written)
  assert.deepEqual(await places(again, 't'), [to])
  const left = folders.flatMap((folder) => readdirSync(folder).filter((name) => /^t-0$/.test(name)))
  assert.deepEqual(left, ['t-0'])
})

test('moves that cannot be are refused', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't')
  const [own] = broker.broker.logDirs
  assert.deepEqual(await move(client, '/nowhere', 't'), ['LOG_DIR_NOT_FOUND'])
  assert.deepEqual(await move(client, `${own}/`, 't'), ['LOG_DIR_NOT_FOUND'])
  assert.deepEqual(await move(client, own!, 'nix'), ['UNKNOWN_TOPIC_OR_PARTITION'])
  assert.deepEqual(await move(client, own!, 't', [0, 9]), ['NONE', 'UNKNOWN_TOPIC_OR_PARTITION'])
  assert.deepEqual(await places(client, 't'), ['data:0'])
})
