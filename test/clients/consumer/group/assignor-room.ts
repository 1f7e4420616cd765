/** Members and topics for tests of assignors, and what their assignments must be like. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type {
  AssignableTopic,
  MemberAssignment,
  SubscribedMember,
} from '../../../../src/clients/consumer/group/assignor.ts'
import { partitionName, type TopicPartition } from '../../../../src/clients/topic-partition.ts'

export type Topics = ReadonlyMap<string, AssignableTopic>
export type Members = ReadonlyMap<string, SubscribedMember>

export function topicsOf(counts: Readonly<Record<string, number>>): Topics {
  return new Map(
    Object.entries(counts).map(([name, partitionCount]) => {
      return [
        name,
        { name, partitionCount, racks: Array.from({ length: partitionCount }, () => []) },
      ]
    }),
  )
}

export function memberOf(
  memberId: string,
  parts: Partial<SubscribedMember> = {},
): SubscribedMember {
  return {
    ...{ memberId, instanceId: null, rackId: null, topics: [], ownedPartitions: [] },
    ...{ generationId: -1, userData: null },
    ...parts,
  }
}

export function membersOf(...members: SubscribedMember[]): Members {
  return new Map(members.map((member) => [member.memberId, member]))
}

/** An assignment as text: `{ A: 't1-0 t1-1' }`. */
export function textOf(assignment: ReadonlyMap<string, MemberAssignment>): Record<string, string> {
  return Object.fromEntries(
    [...assignment].map(([id, { partitions }]) => [id, partitions.map(partitionName).join(' ')]),
  )
}

/** `t1-0 t1-1` as partitions. */
export function partitionsOf(text: string): TopicPartition[] {
  return text.split(' ').map((name) => {
    const [topic, partition] = name.split('-')
    return { topic: topic!, partition: Number(partition) }
  })
}

/** Each partition of a topic with subscribers is with one member, which subscribes to it. */
export function assertValid(
  topics: Topics,
  members: Members,
  assignment: ReadonlyMap<string, MemberAssignment>,
): void {
  const given = [...assignment].flatMap(([memberId, { partitions }]) => {
    for (const { topic } of partitions) assert.ok(members.get(memberId)!.topics.includes(topic))
    return partitions.map(partitionName)
  })
  const subscribed = new Set([...members.values()].flatMap((member) => member.topics))
  const all = [...topics.values()].flatMap(({ name, partitionCount }) =>
    subscribed.has(name)
      ? Array.from({ length: partitionCount }, (_, partition) => `${name}-${partition}`)
      : [],
  )
  assert.deepEqual(given.sort(), all.sort())
}

/** Random topics, and members that subscribe to all of them, or each to some. */
export function groups(limits: { members: number; topics: number; partitions: number }) {
  return fc
    .array(fc.integer({ min: 0, max: limits.partitions }), {
      ...{ minLength: 1, maxLength: limits.topics },
    })
    .chain((counts) => {
      const names = counts.map((_, index) => `t${index}`)
      const topics = topicsOf(Object.fromEntries(counts.map((count, i) => [names[i]!, count])))
      const subscription = fc.oneof(fc.constant(names), fc.subarray(names))
      const members = fc
        .array(subscription, { minLength: 1, maxLength: limits.members })
        .map((all) => all.map((subscribed, i) => memberOf(`m${i}`, { topics: subscribed })))
      return fc.tuple(fc.constant(topics), members)
    })
}
