/**
 * The Java client in its newest 3.x and 4.x: records, groups in both protocols, transactions, share
 * groups and the whole of its Admin. What one process can see is checked by the Java programs
 * themselves; members of groups that come, go and are killed are processes of their own here.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBroker } from './harness/broker.ts'
import { codecs } from './harness/clients.ts'
import { runChecks } from './harness/java-checks.ts'
import { recordsByCodec } from './harness/log-folder.ts'
import { clientVersions, javaClients } from './harness/paths.ts'
import { createWorkspace } from './harness/workspace.ts'

/** Short timeouts, so that what must expire does so within a test. */
const configs = {
  'group.min.session.timeout.ms': '1000',
  'group.consumer.min.session.timeout.ms': '1000',
  'group.consumer.session.timeout.ms': '6000',
  'group.consumer.min.heartbeat.interval.ms': '200',
  'group.consumer.heartbeat.interval.ms': '500',
  'group.share.min.record.lock.duration.ms': '1000',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '300',
}

for (const client of javaClients) {
  test(`kafka-clients ${clientVersions[client]}`, { timeout: 300_000 }, async (t) => {
    const workspace = createWorkspace(t)
    const broker = await startBroker(workspace, { dataFolder: workspace.path('data'), configs })
    const program = client === '3.x' ? 'ClientChecks' : 'NewerChecks'
    await runChecks(t, client, program, [broker.address])
    await t.test('batches lie in the log as they were compressed', () => {
      for (const codec of codecs) {
        const found = recordsByCodec(broker.dataFolder, `records-${codec}-0`)
        assert.deepEqual([...found.keys()], [codec])
      }
    })
    await broker.stop()
  })
}
