/**
 * Scenario 2: a group over four rebalances, with records arriving meanwhile. Two members start, a
 * third joins, the broker is killed and comes back, one member leaves in good order, one is killed,
 * the last one has everything. Every record is seen, no partition has two owners, and what is
 * committed in the end is all there is.
 */
import assert from 'node:assert/strict'
import { ask, LivingClient, until } from '../client-process.ts'
import type { GroupKind, Owns, RecordSeen } from '../contract.ts'
import { createTopics } from '../wire.ts'
import { committedOffsets } from '../wire-groups.ts'
import { endOffsets } from './records.ts'
import type { Scene } from './scene.ts'
import { conflicts, tenures } from './tenures.ts'

const partitions = 6
const recordsAtATime = 60

const owns = (member: LivingClient): Owns[] =>
  member.events().filter((event): event is Owns => event.type === 'owns')

const ownedNow = (member: LivingClient): number[] => owns(member).at(-1)?.partitions ?? []

const recordsOf = (member: LivingClient): RecordSeen[] =>
  member.events().filter((event): event is RecordSeen => event.type === 'record')

/** Whether the members share all partitions evenly between them. */
function isShared(members: readonly LivingClient[]): boolean {
  const all = members.map(ownedNow)
  return (
    new Set(all.flat()).size === partitions &&
    all.every((owned) => owned.length === partitions / members.length)
  )
}

class GroupPlay {
  readonly members: LivingClient[] = []
  readonly #scene: Scene
  readonly #kind: GroupKind
  readonly #topic: string
  readonly #group: string
  #sent = 0
  #crashedAt: number | undefined

  constructor(scene: Scene, kind: GroupKind) {
    this.#scene = scene
    this.#kind = kind
    this.#topic = scene.topic(`group-${kind.protocol}`)
    this.#group = scene.group(`group-${kind.protocol}`)
  }

  create(): Promise<void> {
    return createTopics(this.#scene.broker.port, [{ name: this.#topic, partitions }])
  }

  join(name: string): LivingClient {
    const { workspace, client, broker } = this.#scene
    const { address } = broker
    const request = { address, topic: this.#topic, group: this.#group, ...this.#kind }
    const member = new LivingClient(workspace, client, 'member', request, name)
    this.members.push(member)
    return member
  }

  async send(): Promise<void> {
    const { workspace, client, broker } = this.#scene
    const records = Array.from({ length: recordsAtATime }, (_, number) => ({
      ...{ partition: number % partitions, key: null, value: `${this.#sent + number}` },
      ...{ headers: [], timestamp: Date.now() },
    }))
    this.#sent += records.length
    const request = { address: broker.address, topic: this.#topic, codec: 'none', records }
    await ask(workspace, client, 'produce', { ...request, idempotent: false })
  }

  crashBroker(): Promise<void> {
    this.#crashedAt = Date.now()
    return this.#scene.crashBroker()
  }

  /** Waits until the living members share everything, and all that was sent is seen. */
  async settle(what: string, living: LivingClient[]): Promise<void> {
    const state = (): string =>
      JSON.stringify(this.members.map((member) => [member.name, ownedNow(member)]))
    await until(`${what}: partitions shared`, living, () => isShared(living), state)
    const seen = (): number => new Set(this.#values()).size
    const count = (): string => `${seen()} of ${this.#sent}, ${state()}`
    await until(`${what}: all records seen`, living, () => seen() === this.#sent, count)
  }

  #values(): (string | null)[] {
    return this.members.flatMap((member) => recordsOf(member).map(({ value }) => value))
  }

  /** Every record was committed, and no partition had two owners. */
  async assertWhole(): Promise<void> {
    const { port } = this.#scene.broker
    const ends = await endOffsets(port, this.#topic, partitions)
    const committed = (): Promise<number[]> =>
      committedOffsets(port, this.#group, this.#topic, partitions)
    assert.deepEqual(await committed(), ends)
    const all = this.members.flatMap((member) =>
      tenures(member.name, owns(member), {
        killedAt: member.killedAt,
        crashedAt: this.#crashedAt,
      }),
    )
    assert.ok(all.length > partitions)
    assert.deepEqual(conflicts(all), [])
  }
}

export async function rebalance(scene: Scene, kind: GroupKind): Promise<void> {
  const play = new GroupPlay(scene, kind)
  await play.create()
  const a = play.join('a')
  const b = play.join('b')
  await Promise.all([play.send(), play.settle('two start', [a, b])])
  const c = play.join('c')
  await Promise.all([play.send(), play.settle('a third joins', [a, b, c])])
  // Apache Kafka stays away for ten seconds, after which half of the clients have given up.
  if (scene.client.needsBroker !== true && scene.broker.target === 'samsa') {
    await play.send()
    await play.crashBroker()
    await Promise.all([play.send(), play.settle('the broker crashed', [a, b, c])])
  }
  await Promise.all([play.send(), b.leave().then(() => play.settle('one leaves', [a, c]))])
  await Promise.all([play.send(), c.kill().then(() => play.settle('one is killed', [a]))])
  await a.leave()
  await play.assertWhole()
}
