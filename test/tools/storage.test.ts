import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Admin } from '../../src/clients/admin/admin.ts'
import { kafkaStorage } from '../../src/tools/kafka-storage.ts'
import { TestBroker } from '../support/test-broker.ts'
import { runTool } from './support/run-tool.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

test('a broker starts in folders that were formatted for it, with the ids given', async () => {
  const id = (await runTool(kafkaStorage, ['random-uuid'])).stdout.trim()
  assert.match(id, /^[\w][\w-]{21}$/)
  await using broker = await TestBroker.start({ 'node.id': '5' })
  await broker.close()
  const folder = join(broker.folder, 'fresh')
  const config = join(broker.folder, 'server.properties')
  writeFileSync(config, `node.id=5\nlog.dirs=${folder}\n`)
  const formatted = await runTool(kafkaStorage, ['format', '-t', id, '-c', config])
  assert.equal(formatted.code, 0, formatted.stderr)

  await using other = await TestBroker.start({ 'node.id': '5', 'log.dirs': folder })
  await using admin = new Admin({ bootstrapServers: `127.0.0.1:${other.port}` })
  const cluster = await admin.describeCluster()
  assert.equal(cluster.clusterId, id)
  assert.deepEqual(
    cluster.brokers.map((one) => one.id),
    [5],
  )
})

test('what would be forgotten is refused, and a foreign folder left alone', async (t) => {
  const folder = temporaryFolder(t)
  const config = join(folder, 'server.properties')
  const data = join(folder, 'data')
  writeFileSync(config, `node.id=5\nlog.dirs=${data}\n`)
  const format = (...args: string[]) =>
    runTool(kafkaStorage, ['format', '-t', 'mine', '-c', config, ...args])
  const scram = await format('--add-scram', 'SCRAM-SHA-256=[name=alice,password=secret]')
  assert.equal(scram.code, 1)
  assert.match(scram.stderr, /^--add-scram is not supported: /)
  assert.equal((await format('-r', '3.9')).code, 1)

  mkdirSync(data)
  const properties = join(data, 'meta.properties')
  writeFileSync(properties, 'version=0\nbroker.id=5\ncluster.id=theirs\n')
  const before = readFileSync(properties, 'utf8')
  const refused = await format('--ignore-formatted')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /Invalid cluster\.id in: .* Expected mine, but read theirs/)
  assert.equal(readFileSync(properties, 'utf8'), before)
})
