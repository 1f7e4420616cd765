/**
 * `uniform`, the default: members get equally many partitions, as nearly as their subscriptions
 * allow, and keep what they had as far as that allows. Balance goes before stickiness.
 *
 * Where all subscribe to the same topics, no two members differ by more than one partition, and no
 * more partitions move than that takes. Where they do not, partitions move from the subscriber of a
 * topic that has most to the one that has fewest until no single move makes it better.
 */
import { type Assignment, type AssignmentBuilder, addPartition } from '../assignment.ts'
import {
  type GroupSpec,
  isHomogeneous,
  type PartitionAssignor,
  subscribersByTopic,
} from './partition-assignor.ts'

export const uniformAssignor: PartitionAssignor = {
  name: 'uniform',

  assign(group) {
    if (group.members.size === 0) return new Map()
    return isHomogeneous(group) ? assignHomogeneous(group) : assignHeterogeneous(group)
  },
}

type Partition = readonly [topicId: string, partition: number]

/** What each member had and may keep, as far as quotas allow; and what is left over. */
interface Draft {
  readonly assignments: Map<string, AssignmentBuilder>
  readonly sizes: Map<string, number>
  readonly unassigned: Partition[]
}

function assignHomogeneous(group: GroupSpec): Map<string, Assignment> {
  const { assignments, sizes, unassigned } = keepWhatIsSubscribed(group)
  const memberCount = group.members.size
  const total = unassigned.length + sum(sizes.values())
  const least = Math.floor(total / memberCount)
  let mayHaveOneMore = total % memberCount
  const quotas = new Map<string, number>()
  // Who has more than the least already is first in line for one more: nothing moves for it.
  for (const [memberId, size] of sizes) {
    const quota = size > least && mayHaveOneMore > 0 ? least + 1 : least
    mayHaveOneMore -= quota - least
    quotas.set(memberId, quota)
    shrink(assignments.get(memberId)!, size - quota, unassigned)
  }
  let next = 0
  for (const [memberId, size] of sizes) {
    let quota = quotas.get(memberId)!
    if (quota === least && mayHaveOneMore > 0) {
      quota++
      mayHaveOneMore--
    }
    for (let have = Math.min(size, quota); have < quota; have++) {
      addPartition(assignments.get(memberId)!, ...unassigned[next++]!)
    }
  }
  return assignments
}

/** Takes `count` partitions away, from the last topics and the highest numbers. */
function shrink(assignment: AssignmentBuilder, count: number, unassigned: Partition[]): void {
  let left = count
  for (const [topicId, partitions] of [...assignment].reverse()) {
    for (const partition of [...partitions].sort((a, b) => b - a)) {
      if (left <= 0) return
      partitions.delete(partition)
      unassigned.push([topicId, partition])
      left--
    }
    if (partitions.size === 0) assignment.delete(topicId)
  }
}

/** Members keep what they had of topics that they still subscribe to. */
function keepWhatIsSubscribed(group: GroupSpec): Draft {
  const assignments = new Map<string, AssignmentBuilder>()
  const sizes = new Map<string, number>()
  const taken = new Map<string, Set<number>>()
  for (const [memberId, { topicIds, assignment }] of group.members) {
    const kept: AssignmentBuilder = new Map()
    let size = 0
    for (const topicId of topicIds) {
      const count = group.partitionCount(topicId)
      const takenOfTopic = taken.get(topicId) ?? new Set<number>()
      taken.set(topicId, takenOfTopic)
      for (const partition of assignment.get(topicId) ?? []) {
        if (partition >= count || takenOfTopic.has(partition)) continue
        takenOfTopic.add(partition)
        addPartition(kept, topicId, partition)
        size++
      }
    }
    assignments.set(memberId, kept)
    sizes.set(memberId, size)
  }
  const unassigned: Partition[] = []
  for (const [topicId, takenOfTopic] of taken) {
    for (let partition = 0; partition < group.partitionCount(topicId); partition++) {
      if (!takenOfTopic.has(partition)) unassigned.push([topicId, partition])
    }
  }
  return { assignments, sizes, unassigned }
}

/**
 * Each round over the topics about halves what is out of balance; overlapping subscriptions may
 * need several.
 */
const MAX_ROUNDS = 16

function assignHeterogeneous(group: GroupSpec): Map<string, Assignment> {
  const draft = keepWhatIsSubscribed(group)
  const { assignments, sizes } = draft
  const subscribers = subscribersByTopic(group.members)
  const order = topicOrder(group, subscribers)
  const unassigned = Map.groupBy(draft.unassigned, ([topicId]) => topicId)
  for (const topicId of order) {
    const members = subscribers.get(topicId)!
    for (const [, partition] of unassigned.get(topicId) ?? []) {
      const memberId = leastLoaded(members, sizes)
      addPartition(assignments.get(memberId)!, topicId, partition)
      sizes.set(memberId, sizes.get(memberId)! + 1)
    }
  }
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let moves = 0
    for (const topicId of order) {
      moves += balance(topicId, subscribers.get(topicId)!, assignments, sizes)
    }
    if (moves === 0) break
  }
  return assignments
}

/** Moves partitions of one topic between its subscribers. Returns how many. */
function balance(
  topicId: string,
  members: readonly string[],
  assignments: ReadonlyMap<string, AssignmentBuilder>,
  sizes: Map<string, number>,
): number {
  for (let moves = 0; ; moves++) {
    const to = leastLoaded(members, sizes)
    const from = mostLoaded(members, sizes, (id) => assignments.get(id)!.has(topicId))
    if (from === undefined || sizes.get(from)! - sizes.get(to)! <= 1) return moves
    const partitions = assignments.get(from)!.get(topicId)!
    const partition = highest(partitions)
    partitions.delete(partition)
    if (partitions.size === 0) assignments.get(from)!.delete(topicId)
    addPartition(assignments.get(to)!, topicId, partition)
    sizes.set(from, sizes.get(from)! - 1)
    sizes.set(to, sizes.get(to)! + 1)
  }
}

/** Topics with most partitions for each subscriber first: those with more choice even it out. */
function topicOrder(group: GroupSpec, subscribers: ReadonlyMap<string, string[]>): string[] {
  const share = (topicId: string) =>
    group.partitionCount(topicId) / subscribers.get(topicId)!.length
  return [...subscribers.keys()].sort(
    (a, b) =>
      share(b) - share(a) ||
      subscribers.get(a)!.length - subscribers.get(b)!.length ||
      (a < b ? -1 : 1),
  )
}

function leastLoaded(members: readonly string[], sizes: ReadonlyMap<string, number>): string {
  let least = members[0]!
  for (const memberId of members) if (sizes.get(memberId)! < sizes.get(least)!) least = memberId
  return least
}

function mostLoaded(
  members: readonly string[],
  sizes: ReadonlyMap<string, number>,
  mayGive: (memberId: string) => boolean,
): string | undefined {
  let most: string | undefined
  for (const memberId of members) {
    if (!mayGive(memberId)) continue
    if (most === undefined || sizes.get(memberId)! > sizes.get(most)!) most = memberId
  }
  return most
}

function highest(partitions: Iterable<number>): number {
  let result = -1
  for (const partition of partitions) result = Math.max(result, partition)
  return result
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
