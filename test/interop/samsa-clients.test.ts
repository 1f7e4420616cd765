/** Our clients: against the target broker, and beside Java's on the same topics and groups. */
import { test } from 'node:test'
import { proveAdmin } from './samsa-clients/admin.ts'
import { proveAssignors } from './samsa-clients/assignors.ts'
import { proveConsumer } from './samsa-clients/consumer.ts'
import { proveMixedGroups } from './samsa-clients/mixed-groups.ts'
import { provePartitioner } from './samsa-clients/partitioner.ts'
import { proveProducer } from './samsa-clients/producer.ts'
import { proveShareConsumer } from './samsa-clients/share-consumer.ts'
import { Stage } from './samsa-clients/stage.ts'

test('our clients', { timeout: 600_000 }, async (t) => {
  const stage = await Stage.open(t)
  await t.test('10,000 keys are partitioned as by Java', () => provePartitioner(stage))
  await t.test('assignors say what those of Java say', () => proveAssignors(stage))
  await t.test('admin', (t) => proveAdmin(t, stage))
  await t.test('producer', (t) => proveProducer(t, stage))
  await t.test('consumer', (t) => proveConsumer(t, stage))
  await t.test('mixed groups', (t) => proveMixedGroups(t, stage))
  await t.test('share consumer', (t) => proveShareConsumer(t, stage))
})
