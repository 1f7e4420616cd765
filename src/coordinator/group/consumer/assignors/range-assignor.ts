/**
 * `range`: of each topic, every subscriber gets a run of neighbouring partitions. Members take
 * their turns in the same order for each topic, so topics with equal numbers of partitions are
 * co-partitioned: who has partition 3 of one has partition 3 of the others.
 *
 * ```
 * two members, two topics with three partitions each
 *   A: t1-0 t1-1 t2-0 t2-1
 *   B: t1-2      t2-2
 * ```
 * Static members come first, by instance id, and so keep their place when they come back under
 * another member id.
 */
import type { Assignment, AssignmentBuilder } from '../assignment.ts'
import {
  type GroupSpec,
  type MemberSpec,
  type PartitionAssignor,
  subscribersByTopic,
} from './partition-assignor.ts'

export const rangeAssignor: PartitionAssignor = {
  name: 'range',

  assign(group) {
    const order = [...group.members].sort(byInstanceThenMemberId)
    const assignments = new Map<string, AssignmentBuilder>()
    for (const [memberId] of order) assignments.set(memberId, new Map())
    for (const [topicId, subscribers] of subscribersByTopic(order)) {
      divide(group, topicId, subscribers, assignments)
    }
    return assignments satisfies Map<string, Assignment>
  },
}

/** Gives each subscriber its run; the first ones get one more where it does not come out even. */
function divide(
  group: GroupSpec,
  topicId: string,
  subscribers: readonly string[],
  assignments: ReadonlyMap<string, AssignmentBuilder>,
): void {
  const count = group.partitionCount(topicId)
  const least = Math.floor(count / subscribers.length)
  const withOneMore = count % subscribers.length
  let next = 0
  for (const [turn, memberId] of subscribers.entries()) {
    const end = next + least + (turn < withOneMore ? 1 : 0)
    const partitions = new Set<number>()
    while (next < end) partitions.add(next++)
    if (partitions.size > 0) assignments.get(memberId)!.set(topicId, partitions)
  }
}

function byInstanceThenMemberId(
  [memberIdA, { instanceId: a }]: [string, MemberSpec],
  [memberIdB, { instanceId: b }]: [string, MemberSpec],
): number {
  if (a !== null && b !== null) return compare(a, b)
  if (a !== null) return -1
  if (b !== null) return 1
  return compare(memberIdA, memberIdB)
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
