/**
 * Scenario 6: a share group (KIP-932). Two members share one partition's records; each record is
 * accepted once; released ones come again, rejected ones do not, and what a killed member held goes
 * to the other.
 */
import assert from 'node:assert/strict'
import { ask, LivingClient, until } from '../client-process.ts'
import type { Delivery } from '../contract.ts'
import { createTopics } from '../wire.ts'
import { setGroupConfig } from '../wire-groups.ts'
import type { Scene } from './scene.ts'

const deliveries = (member: LivingClient): Delivery[] =>
  member.events().filter((event): event is Delivery => event.type === 'delivery')

/** What became of each value, in the order of the deliveries' counts. */
function histories(members: readonly LivingClient[]): Map<string, string[]> {
  const all = members.flatMap(deliveries).sort((one, other) => one.count - other.count)
  const found = new Map<string, string[]>()
  for (const { value, verdict, count } of all) {
    found.set(value, [...(found.get(value) ?? []), `${count} ${verdict}`])
  }
  return found
}

/** What must become of each value in the end. */
function wanted(values: readonly string[]): Map<string, string[]> {
  return new Map(
    values.map((value) => {
      if (value.startsWith('release')) return [value, ['1 release', '2 accept']]
      if (value.startsWith('reject')) return [value, ['1 reject']]
      if (value.startsWith('hold')) return [value, ['1 hold', '2 accept']]
      return [value, ['1 accept']]
    }),
  )
}

const sorted = (map: Map<string, string[]>): [string, string[]][] =>
  [...map].sort(([one], [other]) => (one < other ? -1 : 1))

export async function shareGroup(scene: Scene): Promise<void> {
  const { workspace, broker, client } = scene
  const topic = scene.topic('share')
  const group = scene.group('share')
  await createTopics(broker.port, [{ name: topic }])
  await setGroupConfig(broker.port, group, 'share.auto.offset.reset', 'earliest')
  const request = { address: broker.address, topic, group }
  const send = async (values: string[]): Promise<void> => {
    const records = values.map((value) => ({
      ...{ partition: 0, key: null, value, headers: [], timestamp: Date.now() },
    }))
    const produce = { ...request, codec: 'none', idempotent: false, records }
    await ask(workspace, client, 'produce', produce)
  }
  const join = (name: string): LivingClient =>
    new LivingClient(workspace, client, 'share', request, name)

  const kinds = ['accept', 'accept', 'release', 'accept', 'reject']
  const shared = Array.from({ length: 60 }, (_, number) => `${kinds[number % 5]} ${number}`)
  const [a, b] = [join('a'), join('b')] as const
  const isDone = (members: LivingClient[], values: string[]): boolean =>
    JSON.stringify(sorted(histories(members))) === JSON.stringify(sorted(wanted(values)))
  const state = (): string => JSON.stringify(sorted(histories([a, b])))
  await send(shared)
  await until('shared records settled', [a, b], () => isDone([a, b], shared), state)

  // Alone, the second one is given a record that it keeps to itself until it is killed.
  await a.leave()
  await send(['hold'])
  await until('a record held', [b], () => histories([b]).has('hold'), state)
  await b.kill()
  const c = join('c')
  const all = [...shared, 'hold']
  await until('the held record taken over', [c], () => isDone([a, b, c], all), state)
  await c.leave()
  assert.deepEqual(sorted(histories([a, b, c])), sorted(wanted(all)))
}
