/** Our share consumer on the target broker, and Java's in the same group. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import {
  Producer,
  ShareConsumer,
  type ShareConsumerOptions,
  type ShareRecord,
  stringDeserializer,
} from '../../../src/clients/index.ts'
import { openToolBox } from '../harness/toolbox.ts'
import type { Stage } from './stage.ts'

const topic = 'shared'
const group = 'sharing'

type Member = ShareConsumer<Buffer, string>

/** Joins the group, and leaves it when the task is done. */
async function withMember(
  { servers }: Stage,
  task: (member: Member) => Promise<void>,
  options: ShareConsumerOptions<Buffer, string> = {},
): Promise<void> {
  const common = { ...servers, groupId: group, valueDeserializer: stringDeserializer }
  await using member = new ShareConsumer<Buffer, string>({ ...common, ...options })
  member.subscribe(topic)
  await task(member)
}

async function send({ servers }: Stage, values: readonly string[]): Promise<void> {
  await using producer = new Producer(servers)
  await producer.sendBatch(values.map((value) => ({ topic, value })))
}

const told = (records: Iterable<ShareRecord<Buffer, string>>) =>
  [...records].map(({ value, deliveryCount }) => `${value} ${deliveryCount}`)

async function proveAcknowledging(stage: Stage): Promise<void> {
  await send(stage, ['accept', 'release', 'reject', 'renew'])
  const explicit = { shareAcknowledgementMode: 'explicit' }
  await withMember(
    stage,
    async (member) => {
      const records = [...(await member.poll())]
      assert.deepEqual(told(records), ['accept 1', 'release 1', 'reject 1', 'renew 1'])
      for (const record of records) member.acknowledge(record, record.value as 'accept')
      const again = [...(await member.poll())]
      assert.deepEqual(told(again), ['renew 1'])
      for (const record of again) member.acknowledge(record)
      const committed = await member.commitSync()
      assert.deepEqual(committed, [{ topic, partition: 0, offsets: [3] }])
      const released = [...(await member.poll())]
      assert.deepEqual(told(released), ['release 2'])
      // It is given back as the member leaves.
    },
    explicit,
  )
  await withMember(stage, async (member) => {
    assert.deepEqual(told(await member.poll()), ['release 3'])
    await member.commitSync()
    assert.deepEqual(told(await member.poll({ timeoutMs: 300 })), [])
  })
}

/** What an unfinished loop of ours gives back, Java's consumer is given. */
async function proveSharingWithJava(stage: Stage): Promise<void> {
  await send(stage, ['ours', 'theirs', 'theirs as well'])
  await withMember(stage, async (member) => {
    for await (const { value } of member) if (value === 'theirs') break
  })
  const tools = openToolBox(stage.workspace, stage.broker.address)
  const limits = ['--max-messages', '2', '--timeout-ms', '30000']
  const args = ['--topic', topic, '--group', group, ...limits]
  const printed = await tools.succeed('kafka-console-share-consumer', args)
  assert.deepEqual(
    printed.split('\n').filter((line) => line.startsWith('theirs')),
    ['theirs', 'theirs as well'],
  )
}

export async function proveShareConsumer(t: TestContext, stage: Stage): Promise<void> {
  await stage.createTopics({ topic, partitions: 1 })
  const set = { 'share.auto.offset.reset': 'earliest' }
  await stage.admin.alterConfigs([{ type: 'group', name: group, set }])
  await t.test('accept, release, reject, renew', () => proveAcknowledging(stage))
  await t.test('a group with a consumer of Java', () => proveSharingWithJava(stage))
}
