/**
 * Groups in which our consumer and Java's are members together, one of each kind at the same time,
 * while records arrive. Members of both sides come and go; then, for each group:
 *
 * - every record was read, and none of them twice;
 * - no partition had two owners at a time;
 * - after each change all partitions were shared evenly.
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Producer } from '../../../src/clients/index.ts'
import {
  eventsOf,
  type JavaProcess,
  type MemberEvent,
  ownership,
  startMember,
  until,
} from '../harness/java-members.ts'
import { OurMember } from './our-member.ts'
import type { Stage } from './stage.ts'

const topic = 'mixed'
const partitions = 6

interface Kind {
  readonly group: string
  readonly settings: Record<string, string>
  /** As Java calls its assignor. */
  readonly javaAssignor?: string
}

const classic = { 'session.timeout.ms': '6000', 'heartbeat.interval.ms': '500' }
const byBroker = { 'group.protocol': 'consumer' }

const kinds: readonly Kind[] = [
  ...Object.entries({
    range: 'Range',
    roundrobin: 'RoundRobin',
    sticky: 'Sticky',
    'cooperative-sticky': 'CooperativeSticky',
  }).map(([name, javaAssignor]) => {
    const settings = { ...classic, 'partition.assignment.strategy': name }
    return { group: `mixed-${name}`, settings, javaAssignor }
  }),
  { group: 'mixed-uniform', settings: { ...byBroker, 'group.remote.assignor': 'uniform' } },
  { group: 'mixed-remote-range', settings: { ...byBroker, 'group.remote.assignor': 'range' } },
]

/** The settings in the form of GroupMember.java. */
function javaGroup({ group, settings, javaAssignor }: Kind): string {
  const prefix = 'org.apache.kafka.clients.consumer.'
  const strategy = 'partition.assignment.strategy'
  const own = javaAssignor === undefined ? {} : { [strategy]: `${prefix}${javaAssignor}Assignor` }
  const all = Object.entries({ ...settings, ...own }).map(([key, value]) => `${key}=${value}`)
  return [group, ...all].join(',')
}

class Scene {
  readonly #stage: Stage
  readonly #java: JavaProcess[] = []
  readonly #ours = new Map<string, OurMember[]>(kinds.map(({ group }) => [group, []]))
  readonly #living = new Set<string>()

  constructor(stage: Stage) {
    this.#stage = stage
    stage.workspace.onEnd(async () => {
      const all = [...this.#ours.values()].flat()
      await Promise.all(all.map((member) => member.abandon()))
    })
  }

  joinJava(name: string): JavaProcess {
    const { workspace, broker } = this.#stage
    const groups = kinds.map(javaGroup)
    const member = startMember(workspace, '4.x', name, broker, topic, groups)
    this.#java.push(member)
    this.#living.add(name)
    return member
  }

  /** A member of each group. */
  joinOurs(name: string): void {
    for (const { group, settings } of kinds) {
      const all = { ...settings, 'bootstrap.servers': this.#stage.broker.address }
      this.#ours.get(group)!.push(new OurMember(name, topic, { ...all, 'group.id': group }))
    }
    this.#living.add(name)
  }

  async leaveJava(member: JavaProcess): Promise<void> {
    this.#living.delete(member.name)
    await member.end()
  }

  async leaveOurs(name: string): Promise<void> {
    this.#living.delete(name)
    const all = [...this.#ours.values()].flat()
    await Promise.all(all.filter((member) => member.name === name).map((member) => member.end()))
  }

  events(group: string): MemberEvent[] {
    const ours = this.#ours.get(group)!.flatMap(({ events }) => events)
    const all = [...eventsOf(group, this.#java), ...ours]
    return all.sort((a, b) => Number(a.atNanos - b.atNanos))
  }

  /** Waits until in each group the living share all partitions evenly. */
  async untilShared(): Promise<void> {
    const least = Math.floor(partitions / this.#living.size)
    const most = Math.ceil(partitions / this.#living.size)
    for (const { group } of kinds) {
      const shares = () => {
        const owned = ownership(this.events(group))
        return [...this.#living].map((name) => [...(owned.get(name) ?? [])])
      }
      const isShared = () => {
        const sizes = shares().map((share) => share.length)
        const isEven = sizes.every((size) => size >= least && size <= most)
        return isEven && new Set(shares().flat()).size === partitions
      }
      await until(`${[...this.#living]} share ${group}`, isShared, 30_000).catch((error) => {
        throw new Error(`${error.message}, not as ${JSON.stringify(shares())}`)
      })
    }
  }

  /** Waits until each group has read each partition up to its end. */
  async untilRead(ends: readonly number[]): Promise<void> {
    for (const { group } of kinds) {
      await until(`${group} has read all`, () => {
        const read = new Array<number>(partitions).fill(0)
        for (const { event, numbers } of this.events(group)) {
          if (event === 'read') read[numbers[0]!] = Math.max(read[numbers[0]!]!, numbers[2]! + 1)
        }
        return read.every((end, partition) => end === ends[partition])
      })
    }
  }
}

/** Sends to all partitions in turn until it is ended; gives how many each has. */
function feed(stage: Stage): () => Promise<number[]> {
  const ends = new Array<number>(partitions).fill(0)
  let isOver = false
  const feeding = (async () => {
    await using producer = new Producer(stage.servers)
    for (let i = 0; !isOver; i++) {
      const partition = i % partitions
      producer.post({ topic, partition, value: `${i}` })
      ends[partition]! += 1
      if (partition === 0) await sleep(2)
    }
  })()
  return async () => {
    isOver = true
    await feeding
    return ends
  }
}

/** A partition's records were read one after the other, by whomever, each once. */
function checkReading(events: readonly MemberEvent[], ends: readonly number[]): void {
  const next = new Array<number>(partitions).fill(0)
  for (const { member, event, numbers } of events) {
    if (event !== 'read') continue
    const [partition = -1, first = -1, last = -1] = numbers
    assert.equal(first, next[partition], `${member} read on in partition ${partition}`)
    next[partition] = last + 1
  }
  assert.deepEqual(next, ends)
}

function checkOwners(events: readonly MemberEvent[]): void {
  const owners = new Map<number, string>()
  for (const { member, event, numbers } of events) {
    if (event === 'assigned') {
      for (const partition of numbers) {
        const owner = owners.get(partition) ?? member
        assert.equal(owner, member, `partition ${partition} had one owner`)
        owners.set(partition, member)
      }
    } else if (event === 'revoked') {
      for (const partition of numbers) owners.delete(partition)
    }
    assert.notEqual(event, 'lost', `${member} was taken nothing away`)
  }
}

export async function proveMixedGroups(t: TestContext, stage: Stage): Promise<void> {
  await stage.createTopics({ topic, partitions })
  const scene = new Scene(stage)
  const endFeeding = feed(stage)
  await t.test('all share, whoever comes and goes', async () => {
    const first = scene.joinJava('java-1')
    scene.joinOurs('ours-1')
    await scene.untilShared()
    scene.joinOurs('ours-2')
    await scene.untilShared()
    const second = scene.joinJava('java-2')
    await scene.untilShared()
    await scene.leaveJava(first)
    await scene.untilShared()
    await scene.leaveOurs('ours-1')
    await scene.untilShared()
    await scene.untilRead(await endFeeding())
    await scene.leaveJava(second)
    await scene.untilShared()
    await scene.leaveOurs('ours-2')
  })
  const ends = await endFeeding()
  for (const { group } of kinds) {
    await t.test(`${group}: every record once, every partition one owner`, () => {
      const events = scene.events(group)
      checkReading(events, ends)
      checkOwners(events)
    })
  }
}
