/**
 * `range`: of each topic, every subscriber gets a run of neighbouring partitions.
 *
 * ```
 * two members, two topics with three partitions each
 *   A: t1-0 t1-1 t2-0 t2-1
 *   B: t1-2      t2-2
 * ```
 * Members take their turns in the same order for each topic, static ones first by their instance
 * ids, so that topics with equal numbers of partitions are co-partitioned: who has partition 3 of
 * one has partition 3 of the others. Where members and replicas have racks and not all racks have
 * everything, members first get partitions that are in their own rack (KIP-881), of topics that are
 * co-partitioned the same ones; how many each gets stays as it is.
 *
 * Every choice is as in Java's client, so that it does not matter which of them leads a group.
 */
import { comparePartitions, type TopicPartition } from '../../topic-partition.ts'
import type { AssignableTopic, Assignor, SubscribedMember } from './assignor.ts'
import { byInstanceThenMemberId } from './member-order.ts'

export const rangeAssignor: Assignor = {
  name: 'range',
  protocol: 'eager',

  assign(topics, members) {
    const order = [...members.values()].sort(byInstanceThenMemberId)
    const assigned = new Map<string, TopicPartition[]>()
    for (const { memberId } of order) assigned.set(memberId, [])
    const divisions = [...topics.values()].map((topic) => {
      const subscribers = order.filter((member) => member.topics.includes(topic.name))
      return new TopicDivision(topic, subscribers, assigned)
    })
    if (divisions.some(({ dependsOnRacks }) => dependsOnRacks)) assignByRack(divisions)
    for (const division of divisions) division.giveRuns(() => true)
    return new Map(
      [...assigned].map(([memberId, partitions]) => {
        return [memberId, { partitions: partitions.sort(comparePartitions) }]
      }),
    )
  },
}

/** One topic, and how far it has been divided. */
class TopicDivision {
  readonly topic: AssignableTopic
  readonly subscribers: readonly SubscribedMember[]
  /** Whether the rack of a member decides what of the topic is near. */
  readonly dependsOnRacks: boolean
  readonly #assigned: ReadonlyMap<string, TopicPartition[]>
  /** In ascending order. */
  readonly #left: Set<number>
  readonly #counts = new Map<string, number>()
  readonly #least: number
  /** How many subscribers may still get one more than the least. */
  #extra: number

  constructor(
    topic: AssignableTopic,
    subscribers: readonly SubscribedMember[],
    assigned: ReadonlyMap<string, TopicPartition[]>,
  ) {
    const { partitionCount } = topic
    this.topic = topic
    this.subscribers = subscribers
    this.#assigned = assigned
    this.#left = new Set(Array.from({ length: partitionCount }, (_, partition) => partition))
    this.#least = Math.floor(partitionCount / Math.max(1, subscribers.length))
    this.#extra = partitionCount % Math.max(1, subscribers.length)
    this.dependsOnRacks = differByRack(topic, subscribers)
  }

  /** How many more partitions the member may get. */
  room({ memberId }: SubscribedMember): number {
    const most = this.#least + (this.#extra > 0 ? 1 : 0)
    return Math.max(0, most - (this.#counts.get(memberId) ?? 0))
  }

  /** Whether the partition has a replica in the member's rack; members without one are at home. */
  isNear(member: SubscribedMember, partition: number): boolean {
    return !member.rackId || (this.topic.racks[partition]?.includes(member.rackId) ?? false)
  }

  /** Gives each subscriber in turn what it has room for, of what `mayGive` admits. */
  giveRuns(mayGive: (member: SubscribedMember, partition: number) => boolean): void {
    for (const member of this.subscribers) {
      const given = [...this.#left].filter((partition) => mayGive(member, partition))
      this.give(member, given.slice(0, this.room(member)))
    }
  }

  give(member: SubscribedMember, partitions: readonly number[]): void {
    const count = (this.#counts.get(member.memberId) ?? 0) + partitions.length
    this.#counts.set(member.memberId, count)
    if (partitions.length > 0 && count > this.#least) this.#extra -= 1
    const assigned = this.#assigned.get(member.memberId)!
    for (const partition of partitions) {
      assigned.push({ topic: this.topic.name, partition })
      this.#left.delete(partition)
    }
  }
}

/** Whether some rack has only part of the topic, and some member is in a rack that has any. */
function differByRack(topic: AssignableTopic, subscribers: readonly SubscribedMember[]): boolean {
  const ofMembers = new Set(subscribers.flatMap(({ rackId }) => rackId || []))
  const all = new Set(topic.racks.flat())
  if (ofMembers.isDisjointFrom(all)) return false
  return topic.racks.some((racks) => new Set(racks).size < all.size)
}

function assignByRack(divisions: readonly TopicDivision[]): void {
  const alike = Map.groupBy(divisions, ({ topic, subscribers }) =>
    JSON.stringify([topic.partitionCount, subscribers.map(({ memberId }) => memberId)]),
  )
  for (const coPartitioned of alike.values()) {
    const [first] = coPartitioned
    if (coPartitioned.length > 1) assignTogether(coPartitioned)
    else if (first!.dependsOnRacks) first!.giveRuns((member, p) => first!.isNear(member, p))
  }
}

/** Of topics that are co-partitioned, each partition goes to a member near all of its replicas. */
function assignTogether(divisions: readonly TopicDivision[]): void {
  const [{ topic, subscribers }] = divisions as [TopicDivision]
  if (!subscribers.some(({ rackId }) => rackId)) return
  for (let partition = 0; partition < topic.partitionCount; partition++) {
    const near = subscribers.find((member) =>
      divisions.every((each) => each.isNear(member, partition) && each.room(member) > 0),
    )
    if (near !== undefined) for (const each of divisions) each.give(near, [partition])
  }
}
