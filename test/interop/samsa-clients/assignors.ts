/**
 * Our assignors and Java's, given the same random groups. `range` and `roundrobin` say the same to
 * the letter. The sticky ones may differ in who has what; ours is at least as even, and where all
 * members subscribe to the same topics it moves no more.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { SeededRandom } from '../../../sim/seeded-random.ts'
import type {
  AssignableTopic,
  MemberAssignment,
  SubscribedMember,
} from '../../../src/clients/consumer/group/assignor.ts'
import { createAssignors } from '../../../src/clients/consumer/group/assignors.ts'
import { StickyAssignor } from '../../../src/clients/consumer/group/sticky-assignors.ts'
import { partitionName, type TopicPartition } from '../../../src/clients/topic-partition.ts'
import { java } from '../harness/clients.ts'
import type { Stage } from './stage.ts'

const GROUPS = 500
const ASSIGNORS = ['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const
const RACKS = ['a', 'b', 'c']

type Assignment = ReadonlyMap<string, readonly string[]>

interface Group {
  readonly assignor: (typeof ASSIGNORS)[number]
  readonly topics: ReadonlyMap<string, AssignableTopic>
  readonly members: ReadonlyMap<string, SubscribedMember>
  readonly isHomogeneous: boolean
}

export async function proveAssignors({ workspace }: Stage): Promise<void> {
  const random = new SeededRandom(20)
  const groups = Array.from({ length: GROUPS }, (_, i) => {
    return randomGroup(random, ASSIGNORS[i % ASSIGNORS.length]!)
  })
  const path = workspace.path('groups.txt')
  writeFileSync(path, groups.map((group) => `${textOf(group)}\n`).join(''))
  const lines = (await java('Assignments', [path])).trimEnd().split('\n')
  assert.equal(lines.length, groups.length)
  for (const [index, group] of groups.entries()) compare(group, parse(lines[index]!))
}

function compare(group: Group, theirs: Assignment): void {
  const [assignor] = createAssignors([group.assignor])
  const ours = namesOf(assignor!.assign(group.topics, group.members))
  const about = textOf(group)
  if (group.assignor === 'range' || group.assignor === 'roundrobin') {
    for (const [member, partitions] of theirs) {
      assert.deepEqual(ours.get(member)!.toSorted(), partitions.toSorted(), `${member}, ${about}`)
    }
    return
  }
  // What is on its way from one member to another counts for neither under the cooperative one.
  if (group.assignor === 'cooperative-sticky') {
    const given = [...ours.values()].flat()
    assert.equal(new Set(given).size, given.length)
    return
  }
  assert.deepEqual([...ours.values()].flat().sort(), [...theirs.values()].flat().sort())
  assert.ok(squares(ours) <= squares(theirs), `ours is as even in ${about}`)
  if (group.isHomogeneous) assert.equal(kept(group, ours), kept(group, theirs), about)
}

function squares(assignment: Assignment): number {
  return [...assignment.values()].reduce((sum, { length }) => sum + length ** 2, 0)
}

/** How many partitions are with the member that had them. */
function kept({ members }: Group, assignment: Assignment): number {
  return [...assignment].reduce((sum, [memberId, names]) => {
    const had = new Set(members.get(memberId)!.ownedPartitions.map(partitionName))
    return sum + names.filter((name) => had.has(name)).length
  }, 0)
}

function randomGroup(random: SeededRandom, assignor: Group['assignor']): Group {
  const hasRacks = assignor === 'range' && random.chance(0.5)
  const isHomogeneous = random.chance(0.5)
  const names = Array.from({ length: random.between(1, 5) }, (_, i) => `t${i}`)
  const topics = new Map(
    names.map((name) => {
      const partitionCount = random.between(1, 9)
      const racks = Array.from({ length: partitionCount }, () =>
        hasRacks ? RACKS.filter(() => random.chance(0.5)) : [],
      )
      return [name, { name, partitionCount, racks }] as const
    }),
  )
  const ids = Array.from({ length: random.between(1, 6) }, (_, i) => `m${i}`)
  const owners = new Map(ids.map((id): [string, TopicPartition[]] => [id, []]))
  for (const { name, partitionCount } of assignor.includes('sticky') ? topics.values() : []) {
    for (let partition = 0; partition < partitionCount; partition++) {
      const owner = random.chance(0.8) ? random.pick(ids) : undefined
      if (owner !== undefined) owners.get(owner)!.push({ topic: name, partition })
    }
  }
  const members = ids.map((memberId): [string, SubscribedMember] => {
    // Java's sticky assignors may give something to members that subscribe to nothing.
    const some = names.filter(() => random.chance(0.6))
    const subscribed = isHomogeneous || some.length === 0 ? names : some
    const ownedPartitions = owners.get(memberId)!.filter(({ topic }) => subscribed.includes(topic))
    const told = new StickyAssignor()
    told.onAssignment({ partitions: ownedPartitions }, { groupId: 'g', generationId: 3 })
    return [
      memberId,
      {
        ...{ memberId, topics: subscribed, ownedPartitions, generationId: 3 },
        instanceId: random.chance(0.3) ? `i${random.int(100)}-${memberId}` : null,
        rackId: hasRacks && random.chance(0.8) ? random.pick(RACKS) : null,
        userData: assignor === 'sticky' ? told.subscriptionUserData() : null,
      },
    ]
  })
  return { assignor, topics, members: new Map(members), isHomogeneous }
}

/** In the form of Assignments.java. */
function textOf({ assignor, topics, members }: Group): string {
  const topicTexts = [...topics.values()].map(({ name, racks }) => {
    return `${name}=${racks.map((some) => some.join('+')).join(',')}`
  })
  const memberTexts = [...members.values()].map((member) => {
    const owned = member.ownedPartitions.map(partitionName).join(',')
    const userData = member.userData?.toString('hex') ?? ''
    return [
      ...[member.memberId, member.instanceId ?? '', member.rackId ?? '', member.topics.join(',')],
      ...[owned, member.generationId, userData],
    ].join('=')
  })
  return [assignor, topicTexts.join(';'), memberTexts.join(';')].join('|')
}

function parse(line: string): Assignment {
  return new Map(
    line.split(';').map((text) => {
      const [memberId = '', partitions = ''] = text.split('=')
      return [memberId, partitions === '' ? [] : partitions.split(',')]
    }),
  )
}

function namesOf(assignment: ReadonlyMap<string, MemberAssignment>): Assignment {
  return new Map(
    [...assignment].map(([memberId, { partitions }]) => [memberId, partitions.map(partitionName)]),
  )
}
