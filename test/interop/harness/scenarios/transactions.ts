/**
 * Scenario 4: an idempotent producer, and transactions with commit, abort and takeover. Readers of
 * committed records see whole transactions in order and nothing of an aborted one.
 */
import assert from 'node:assert/strict'
import { ask } from '../client-process.ts'
import type { Fenced, RecordSeen, RecordToSend, Transaction } from '../contract.ts'
import { createTopics } from '../wire.ts'
import { committedOffsets } from '../wire-groups.ts'
import { endOffsets, sampleRecords } from './records.ts'
import type { Scene } from './scene.ts'

const partitions = 2

/**
 * Records for both partitions whose values name the transaction. They are of today, as the markers
 * are: with older ones these would open a segment, which ends an answer to Fetch, and records whose
 * marker is not in the same answer @platformatic/kafka 2.12 takes for committed.
 */
const recordsNamed = (name: string, perPartition: number): RecordToSend[] =>
  Array.from({ length: perPartition * partitions }, (_, number) => ({
    ...{ partition: number % partitions, key: `${number}`, value: `${name} ${number}` },
    ...{ headers: [], timestamp: Date.now() },
  }))

const valuesIn = (records: readonly RecordToSend[], partition: number): (string | null)[] =>
  records.filter((record) => record.partition === partition).map(({ value }) => value)

export async function idempotence(scene: Scene): Promise<void> {
  const { workspace, broker, client } = scene
  const topic = scene.topic('idempotent')
  await createTopics(broker.port, [{ name: topic, partitions: 3 }])
  const records = sampleRecords()
  const request = { address: broker.address, topic, codec: 'none', idempotent: true, records }
  await ask(workspace, client, 'produce', request)
  // A producer that starts anew on the same partitions has an id of its own, so nothing is dropped.
  await ask(workspace, client, 'produce', request)
  const counts = [0, 1, 2].map((partition) => 2 * valuesIn(records, partition).length)
  assert.deepEqual(await endOffsets(broker.port, topic, 3), counts)
}

async function assertRead(
  scene: Scene,
  topic: string,
  isolation: 'read_committed' | 'read_uncommitted',
  wanted: RecordToSend[],
  lastOffset: number,
): Promise<void> {
  const { workspace, broker, client } = scene
  const group = scene.group(`${topic}-${isolation}`)
  const last = Array.from({ length: partitions }, () => lastOffset)
  const request = { address: broker.address, topic, group, isolation, last }
  const seen = await ask<RecordSeen>(workspace, client, 'consume', request)
  for (let partition = 0; partition < partitions; partition++) {
    assert.deepEqual(valuesIn(seen, partition), valuesIn(wanted, partition), isolation)
  }
}

export async function transactions(scene: Scene): Promise<void> {
  const { workspace, broker, client } = scene
  const topic = scene.topic('transactions')
  const group = scene.group('transactions')
  await createTopics(broker.port, [{ name: topic, partitions }])
  const withOffsets = client.transactions === 'records and offsets'
  const step = (name: string, outcome: 'commit' | 'abort', offset?: number): Transaction => ({
    records: recordsNamed(name, 5),
    outcome,
    ...(withOffsets && offset !== undefined && { offset: { group, offset } }),
  })
  const all = [
    step('first', 'commit', 3),
    step('second, aborted', 'abort', 4),
    step('third', 'commit'),
    step('fourth, aborted', 'abort'),
    step('fifth, aborted', 'abort', 5),
    step('sixth', 'commit'),
  ]
  const aborted = all.filter(({ outcome }) => outcome === 'abort')
  const tooMany = aborted.slice(client.mostAborted ?? aborted.length)
  const steps = all.filter((each) => !tooMany.includes(each))
  const request = { address: broker.address, topic, transactionalId: `${topic}-id` }
  await ask(workspace, client, 'transact', { ...request, transactions: steps })
  const sent = steps.flatMap(({ records }) => records)
  const committed = steps.flatMap(({ records, outcome }) => (outcome === 'commit' ? records : []))
  // In each partition, five records and a marker per transaction; a marker comes last.
  const lastOffset = steps.length * 6 - 2
  await assertRead(scene, topic, 'read_committed', committed, lastOffset)
  await assertRead(scene, topic, 'read_uncommitted', sent, lastOffset)
  if (withOffsets) assert.deepEqual(await committedOffsets(broker.port, group, topic, 1), [3])
}

export async function fencing(scene: Scene): Promise<void> {
  const { workspace, broker, client } = scene
  const topic = scene.topic('fencing')
  await createTopics(broker.port, [{ name: topic, partitions }])
  const first = recordsNamed('of the fenced one', 3)
  const second = recordsNamed('of its successor', 3)
  const request = { address: broker.address, topic, transactionalId: `${topic}-id` }
  const answers = await ask<Fenced>(workspace, client, 'fence', { ...request, first, second })
  assert.deepEqual(
    answers.map(({ fenced }) => fenced),
    [true],
    JSON.stringify(answers),
  )
  // Three records, the marker that aborted them, three records and the marker that is awaited.
  await assertRead(scene, topic, 'read_committed', second, 6)
}
