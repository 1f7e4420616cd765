import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GROUP, GroupRoom, SESSION_TIMEOUT_MS, settle, type TestMember } from './group-room.ts'

const TOPICS = ['t0', 't1', 'u0']
const SUBSCRIPTIONS = [
  { topics: ['t0'], regex: '' },
  { topics: ['t0', 't1', 'u0'], regex: '' },
  { topics: ['u0', 'gone'], regex: '' },
  { topics: [], regex: 't.*' },
  { topics: ['u0'], regex: 't1|t.' },
  { topics: [], regex: '' },
] as const

const slot = fc.nat(3)
const subscription = fc.constantFrom(...SUBSCRIPTIONS)

/** What may happen. Slots are processes: one member each at a time, the last two static ones. */
const events = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ what: fc.constant('heartbeat' as const), slot }) },
    { weight: 3, arbitrary: fc.record({ what: fc.constant('reconcile' as const), slot }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('lost answer' as const), slot }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('join' as const), slot, subscription }) },
    {
      weight: 1,
      arbitrary: fc.record({ what: fc.constant('change' as const), slot, subscription }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('leave' as const), slot }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('be back' as const), slot }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('crash' as const), slot }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('session' as const) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('restart' as const) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('refuse' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        what: fc.constant('topic' as const),
        name: fc.constantFrom(...TOPICS),
        partitions: fc.nat(7),
      }),
    },
  ),
  { minLength: 20, maxLength: 80, size: 'max' },
)

type Event = typeof events extends fc.Arbitrary<(infer E)[]> ? E : never

class History {
  readonly room: GroupRoom
  readonly #slots: (TestMember | undefined)[] = [undefined, undefined, undefined, undefined]
  #nextId = 1
  #lastEpoch = 0

  constructor(room: GroupRoom) {
    this.room = room
  }

  get members(): TestMember[] {
    return this.#slots.filter((member) => member !== undefined)
  }

  async apply(event: Event): Promise<void> {
    const { room } = this
    if (event.what === 'topic') {
      const grows = (room.topics.partitionCount(event.name) ?? 0) <= event.partitions
      await room.changeTopic(event.name, grows ? event.partitions : 0)
    } else if (event.what === 'restart') await room.harness.restart()
    else if (event.what === 'session') await this.#passSession()
    else if (event.what === 'refuse') room.harness.storage.refuseNext('NOT_ENOUGH_REPLICAS')
    else await this.#applyTo(event)
    await this.check()
  }

  async #applyTo(event: Exclude<Event, { what: 'topic' | 'restart' | 'session' | 'refuse' }>) {
    const { slot } = event
    const member = this.#slots[slot]
    if (event.what === 'join') {
      if (member === undefined) this.#start(slot, event.subscription)
    } else if (member === undefined) return
    else if (event.what === 'heartbeat') await member.heartbeat()
    else if (event.what === 'lost answer') await member.heartbeat({ isLost: true })
    else if (event.what === 'reconcile') member.reconcile()
    else if (event.what === 'change') member.change(event.subscription)
    else if (event.what === 'crash') this.#slots[slot] = undefined
    else {
      const isStatic = event.what === 'be back' && member.options.instanceId !== undefined
      if (member.epoch > 0) await member.leave(isStatic)
      this.#slots[slot] = undefined
      if (event.what === 'be back') this.#start(slot, member.options)
    }
  }

  #start(slot: number, options: { topics?: readonly string[]; regex?: string }): void {
    const { topics = [], regex = '' } = options
    const instance = slot >= 2 ? { instanceId: `instance ${slot}` } : {}
    this.#slots[slot] = this.room.member(`m${this.#nextId++}`, { topics, regex, ...instance })
  }

  /** A whole session, during which the living are heard of. */
  async #passSession(): Promise<void> {
    for (let third = 0; third < 4; third++) {
      await this.room.harness.advance(Math.ceil(SESSION_TIMEOUT_MS / 3))
      for (const member of this.members) await member.heartbeat()
    }
  }

  /** What holds at any time. */
  async check(): Promise<void> {
    const read = this.members.flatMap(({ owned }) => namesOf(owned))
    assert.equal(new Set(read).size, read.length, 'two members read a partition')
    const { members, groupEpoch, assignmentEpoch } = await this.room.describe()
    if (members.length === 0) return
    assert.ok(groupEpoch >= this.#lastEpoch, 'the group epoch went back')
    assert.ok(assignmentEpoch <= groupEpoch)
    this.#lastEpoch = groupEpoch
    for (const { memberEpoch } of members) assert.ok(memberEpoch <= assignmentEpoch)
    for (const which of ['assignment', 'targetAssignment'] as const) {
      const names = members.flatMap((member) =>
        member[which].topicPartitions.flatMap(({ topicId, partitions }) =>
          partitions.map((partition) => `${topicId}-${partition}`),
        ),
      )
      assert.equal(new Set(names).size, names.length, `two members have a partition: ${which}`)
    }
  }

  /** What holds once everybody has had time. */
  async checkSettled(): Promise<void> {
    const { room, members } = this
    await this.#passSession()
    await settle(members, 30)
    await this.#passSession()
    await settle(members, 30)
    const described = await room.describe()
    assert.equal(described.groupState, members.length === 0 ? described.groupState : 'Stable')
    assert.equal(described.members.length, members.length)
    const has = new Map(members.map((member) => [member, new Set(member.partitions)]))
    for (const topic of room.topics.names()) {
      const subscribers = members.filter((member) => isSubscribed(member, topic))
      for (let p = 0; p < room.topics.partitionCount(topic)!; p++) {
        const owners = members.filter((member) => has.get(member)!.has(`${topic}-${p}`))
        assert.equal(owners.length, Math.min(1, subscribers.length), `${topic}-${p}`)
        assert.ok(owners.every((owner) => subscribers.includes(owner)))
      }
      for (const from of subscribers) {
        const givesAway = [...has.get(from)!].some((name) => name.startsWith(`${topic}-`))
        for (const to of givesAway ? subscribers : []) {
          assert.ok(has.get(from)!.size - has.get(to)!.size <= 1, 'out of balance')
        }
      }
    }
  }
}

function isSubscribed({ options }: TestMember, topic: string): boolean {
  const { topics = [], regex = '' } = options
  return topics.includes(topic) || (regex !== '' && new RegExp(`^(${regex})$`).test(topic))
}

function namesOf(owned: TestMember['owned']): string[] {
  return [...owned].flatMap(([id, partitions]) => [...partitions].map((p) => `${id}-${p}`))
}

test('whatever happens, nobody reads what another reads, and all is read in the end', async () => {
  await fc.assert(
    fc.asyncProperty(events, async (happened) => {
      const room = await GroupRoom.open()
      for (const [index, name] of TOPICS.entries()) room.topics.create(name, 4 - index)
      const history = new History(room)
      for (const event of happened) await history.apply(event)
      await history.checkSettled()
      const before = await room.describe()
      await room.harness.restart()
      assert.deepEqual(await room.describe(), before)
      assert.equal(before.groupId, GROUP)
    }),
    { numRuns: 300 },
  )
})
