/**
 * Scenario 1: what is sent comes back as it was, with every codec the client knows: keys, headers,
 * tombstones, timestamps. Scenario 3: a group goes on where it has committed.
 */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { ask } from '../client-process.ts'
import type { Codec } from '../clients.ts'
import type { RecordSeen, RecordToSend } from '../contract.ts'
import { recordsByCodec } from '../log-folder.ts'
import { createTopics, LATEST, listOffset } from '../wire.ts'
import { committedOffsets } from '../wire-groups.ts'
import type { Scene } from './scene.ts'

const partitions = 3
const day = Date.UTC(2026, 0, 2)

/** The shapes a record can have, each somewhat different in every partition. */
export function sampleRecords(): RecordToSend[] {
  const records: RecordToSend[] = []
  const add = (record: Partial<RecordToSend>): void => {
    const number = records.length
    const partition = number % partitions
    const timestamp = day + number * 1000 + 7
    records.push({ partition, key: null, value: '', headers: [], timestamp, ...record })
  }
  for (let round = 0; round < partitions + 1; round++) {
    add({ key: `plain-${round}`, value: `value ${round}` })
    add({ value: 'no key' })
    add({ key: 'Käfer', value: 'Gregor Samsa 変身 🪲', headers: [['späť', '日本']] })
    add({ key: 'tombstone', value: null })
    add({ key: 'tombstone-with-header', value: null, headers: [['why', 'removed']] })
    add({ key: 'empty value', value: '', headers: [['empty', '']] })
    add({ key: 'long', value: 'als Gregor Samsa eines Morgens '.repeat(3_000) })
    // Twenty days: @platformatic/kafka 2.12 wraps differences within a batch at 32 bits.
    add({ key: 'old', value: 'long ago', timestamp: day - 20 * 86_400_000 })
  }
  for (let number = 0; number < 200; number++) {
    add({ key: `key-${number}`, value: `${number} `.repeat(number), headers: [['n', `${number}`]] })
  }
  return records
}

/** The offsets at the ends of a topic's partitions. */
export async function endOffsets(port: number, topic: string, count: number): Promise<number[]> {
  const asked = [...Array(count).keys()].map((index) => listOffset(port, topic, index, LATEST))
  return (await Promise.all(asked)).map(({ error, offset }) => {
    assert.equal(error, 0)
    return offset
  })
}

const inPartition = <T extends RecordToSend>(records: readonly T[], partition: number): T[] =>
  records.filter((record) => record.partition === partition)

/** What of a record a person wants to see when it is wrong: long values are cut. */
const brief = ({ value, ...record }: RecordToSend): object => ({
  ...record,
  value: value === null || value.length < 80 ? value : `${value.slice(0, 40)}… ${value.length}`,
})

/** Compares what was read of a topic that held nothing else with what was sent to it. */
function assertSame(seen: RecordSeen[], sent: RecordToSend[]): void {
  for (let partition = 0; partition < partitions; partition++) {
    const found = inPartition(seen, partition).map(({ type, ...record }) => record)
    const wanted = inPartition(sent, partition).map((record, offset) => ({ ...record, offset }))
    const wrong = wanted.findIndex((record, offset) => !isDeepStrictEqual(record, found[offset]))
    if (wrong >= 0) {
      assert.deepEqual(found[wrong] && brief(found[wrong]), wanted[wrong] && brief(wanted[wrong]))
      assert.fail(`partition ${partition}, offset ${wrong}: a long value differs`)
    }
    assert.equal(found.length, wanted.length)
  }
}

export async function roundTrip(scene: Scene, codec: Codec): Promise<void> {
  const { workspace, broker, client } = scene
  const topic = scene.topic(`records-${codec}`)
  await createTopics(broker.port, [{ name: topic, partitions }])
  const records = sampleRecords()
  const request = { address: broker.address, topic }
  await ask(workspace, client, 'produce', { ...request, codec, idempotent: false, records })
  for (let partition = 0; partition < partitions; partition++) {
    const counts = recordsByCodec(broker.dataFolder, `${topic}-${partition}`)
    assert.ok((counts.get(codec) ?? 0) > 0, `partition ${partition}: no batch of ${codec}`)
  }
  const last = (await endOffsets(broker.port, topic, partitions)).map((end) => end - 1)
  const group = scene.group(`records-${codec}`)
  const consume = { ...request, group, isolation: 'read_uncommitted', last }
  const seen = await ask<RecordSeen>(workspace, client, 'consume', consume)
  assertSame(seen, records)
}

/** Two readers of one group, one after the other: the second gets what the first left. */
export async function commitAndResume(scene: Scene): Promise<void> {
  const { workspace, broker, client } = scene
  const topic = scene.topic('resume')
  const group = scene.group('resume')
  await createTopics(broker.port, [{ name: topic }])
  const records = Array.from({ length: 30 }, (_, number) => ({
    ...{ partition: 0, key: null, value: `record ${number}`, headers: [] },
    timestamp: day + number,
  }))
  const request = { address: broker.address, topic, group }
  await ask(workspace, client, 'produce', { ...request, codec: 'none', idempotent: false, records })
  const offsets = [...Array(records.length).keys()]
  const first = await ask<RecordSeen>(workspace, client, 'read', { ...request, count: 10 })
  assert.deepEqual(
    first.map(({ offset }) => offset),
    offsets.slice(0, 10),
  )
  assert.deepEqual(await committedOffsets(broker.port, group, topic, 1), [10])
  const second = await ask<RecordSeen>(workspace, client, 'read', { ...request, count: 20 })
  assert.deepEqual(
    second.map(({ offset }) => offset),
    offsets.slice(10),
  )
  assert.deepEqual(await committedOffsets(broker.port, group, topic, 1), [30])
}
