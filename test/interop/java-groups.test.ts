/**
 * Groups of three members over rebalances, each member a process: they join, one leaves, one is
 * killed, another joins. A process is a member of one group of each kind, so that all kinds go
 * through it at the same time, while records arrive. Then for each group:
 *
 * - every record was read, and twice only where the one that was killed had not committed;
 * - no partition had two owners at a time;
 * - what is evenly shared was evenly shared, and incremental protocols took nothing needlessly.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Broker, startBroker } from './harness/broker.ts'
import {
  eventsOf,
  type JavaProcess,
  type MemberEvent,
  ownership,
  startJava,
  startMember,
  until,
} from './harness/java-members.ts'
import { clientVersions, type JavaClient, javaClients } from './harness/paths.ts'
import { createTopics } from './harness/wire.ts'
import { createWorkspace, type Workspace } from './harness/workspace.ts'

const topic = 'work'
const partitions = 6
/** The Java clients' names of assignors. */
const assignor = (name: string): string =>
  `partition.assignment.strategy=org.apache.kafka.clients.consumer.${name}Assignor`

const classic = 'session.timeout.ms=3000,heartbeat.interval.ms=500'

interface Kind {
  group: string
  settings: string
  /** Whether members keep what need not move while others come and go. */
  isIncremental: boolean
}

const kinds: Record<JavaClient, Kind[]> = {
  '3.x': [
    { group: 'eager', settings: `${classic},${assignor('Range')}`, isIncremental: false },
    {
      group: 'cooperative',
      settings: `${classic},${assignor('CooperativeSticky')}`,
      isIncremental: true,
    },
  ],
  '4.x': [],
}
kinds['4.x'] = [
  ...kinds['3.x'],
  { group: 'uniform', settings: 'group.protocol=consumer', isIncremental: true },
  {
    group: 'range',
    settings: 'group.protocol=consumer,group.remote.assignor=range',
    isIncremental: false,
  },
]

const configs = {
  'group.min.session.timeout.ms': '1000',
  'group.consumer.min.session.timeout.ms': '1000',
  'group.consumer.session.timeout.ms': '3000',
  'group.consumer.min.heartbeat.interval.ms': '200',
  'group.consumer.heartbeat.interval.ms': '500',
}

class Scene {
  readonly #workspace: Workspace
  readonly #client: JavaClient
  readonly #broker: Broker
  readonly everybody: JavaProcess[] = []
  readonly living = new Set<JavaProcess>()

  constructor(workspace: Workspace, client: JavaClient, broker: Broker) {
    this.#workspace = workspace
    this.#client = client
    this.#broker = broker
  }

  get kinds(): Kind[] {
    return kinds[this.#client]
  }

  feed(): JavaProcess {
    const args = [this.#broker.address, topic, String(partitions), '20']
    return startJava(this.#workspace, this.#client, 'feeder', 'Feeder', args)
  }

  join(name: string): JavaProcess {
    const groups = this.kinds.map(({ group, settings }) => `${group},${settings}`)
    const member = startMember(this.#workspace, this.#client, name, this.#broker, topic, groups)
    this.everybody.push(member)
    this.living.add(member)
    return member
  }

  async leave(member: JavaProcess): Promise<void> {
    this.living.delete(member)
    await member.end()
  }

  async kill(member: JavaProcess): Promise<void> {
    this.living.delete(member)
    await member.kill()
  }

  events(group: string): MemberEvent[] {
    return eventsOf(group, this.everybody)
  }

  /** Waits until in each group the living share the partitions evenly. */
  async untilShared(): Promise<void> {
    for (const { group } of this.kinds) {
      await until(`${this.living.size} members of ${group} share`, () => {
        const owned = ownership(this.events(group))
        const shares = [...this.living].map(({ name }) => owned.get(name) ?? new Set<number>())
        const distinct = new Set(shares.flatMap((share) => [...share]))
        return (
          distinct.size === partitions &&
          shares.every((share) => share.size === partitions / this.living.size)
        )
      })
    }
  }

  /** Waits until each group has read as many records of every partition. */
  async untilRead(records: number): Promise<void> {
    for (const { group } of this.kinds) {
      await until(`${group} has read all`, () => {
        const ends = new Map<number, number>()
        for (const { event, numbers } of this.events(group)) {
          const [partition = -1, , last = -1] = numbers
          if (event === 'read') ends.set(partition, Math.max(last, ends.get(partition) ?? -1))
        }
        return [...ends.values()].filter((last) => last === records - 1).length === partitions
      })
    }
  }
}

/** Fails if a partition was assigned to a member while another still had it. */
function assertOneOwner(events: MemberEvent[], killed: string): void {
  const owners = new Map<number, string>()
  for (const { member, event, numbers } of events) {
    for (const partition of event === 'assigned' ? numbers : []) {
      const owner = owners.get(partition) ?? member
      assert.ok(
        owner === member || owner === killed,
        `partition ${partition} went to ${member} while ${owner} had it`,
      )
      owners.set(partition, member)
    }
    if (event !== 'revoked' && event !== 'lost') continue
    for (const partition of numbers) {
      if (owners.get(partition) === member) owners.delete(partition)
    }
  }
}

/** Fails if a record was left out, or read again without the excuse of a kill. */
function assertReadOnce(events: MemberEvent[], records: number, killed: string): void {
  const readers = new Map<string, string>()
  for (const { member, event, numbers } of events) {
    const [partition = -1, first = 0, last = -1] = numbers
    for (let offset = first; event === 'read' && offset <= last; offset++) {
      const before = readers.get(`${partition}:${offset}`)
      const isExcused = before === undefined || before === killed
      assert.ok(isExcused, `${partition}:${offset} was read by ${before}, then by ${member}`)
      readers.set(`${partition}:${offset}`, member)
    }
  }
  assert.equal(readers.size, records * partitions, 'records that were read')
}

/** How many partitions were taken from the living after `since`. */
function takenAway(events: MemberEvent[], since: number, living: Set<JavaProcess>): number {
  const names = new Set([...living].map(({ name }) => name))
  return events
    .slice(since)
    .filter(({ event, member }) => event === 'revoked' && names.has(member))
    .reduce((sum, { numbers }) => sum + numbers.length, 0)
}

async function rebalances(t: TestContext, client: JavaClient): Promise<void> {
  const workspace = createWorkspace(t)
  const broker = await startBroker(workspace, { dataFolder: workspace.path('data'), configs })
  await createTopics(broker.port, [{ name: topic, partitions }])
  const scene = new Scene(workspace, client, broker)
  const feeder = scene.feed()
  scene.join('first')
  await scene.untilShared()
  const second = scene.join('second')
  const third = scene.join('third')
  await scene.untilShared()
  const before = new Map(scene.kinds.map(({ group }) => [group, scene.events(group).length]))
  await scene.leave(second)
  await scene.untilShared()
  for (const { group, isIncremental } of scene.kinds) {
    const taken = takenAway(scene.events(group), before.get(group) ?? 0, scene.living)
    if (isIncremental) assert.equal(taken, 0, `${group}: taken from those who stay`)
  }
  scene.join('fourth')
  await scene.untilShared()
  await scene.kill(third)
  await scene.untilShared()
  await feeder.end()
  const records = Number(feeder.output())
  await scene.untilRead(records)
  for (const member of scene.living) await scene.leave(member)
  t.diagnostic(`${records} records in each partition`)
  for (const { group } of scene.kinds) {
    await t.test(`${group}: one owner at a time`, () =>
      assertOneOwner(scene.events(group), third.name),
    )
    await t.test(`${group}: every record`, () =>
      assertReadOnce(scene.events(group), records, third.name),
    )
  }
  await broker.stop()
}

for (const client of javaClients) {
  const name = `members of kafka-clients ${clientVersions[client]} join, leave and are killed`
  test(name, { timeout: 240_000 }, (t) => rebalances(t, client))
}
