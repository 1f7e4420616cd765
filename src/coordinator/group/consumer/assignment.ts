/** Sets of partitions by topic id: what members have, are to have, or must give back. */

/** Never changed once made, so that it may be shared. Topics without partitions are not in it. */
export type Assignment = ReadonlyMap<string, ReadonlySet<number>>

/** An assignment in the making. */
export type AssignmentBuilder = Map<string, Set<number>>

/** As messages and records have it. */
export interface TopicPartitions {
  topicId: string
  partitions: number[]
}

export const EMPTY_ASSIGNMENT: Assignment = new Map()

/** Reads what a message or a record says. A topic that is listed twice counts once. */
export function toAssignment(
  topics: readonly { readonly topicId: string; readonly partitions: readonly number[] }[],
): Assignment {
  const assignment: AssignmentBuilder = new Map()
  for (const { topicId, partitions } of topics) {
    for (const partition of partitions) addPartition(assignment, topicId, partition)
  }
  return assignment
}

/** For a message or a record, partitions in ascending order. */
export function fromAssignment(assignment: Assignment): TopicPartitions[] {
  const topics: TopicPartitions[] = []
  for (const [topicId, partitions] of assignment) {
    topics.push({ topicId, partitions: [...partitions].sort((a, b) => a - b) })
  }
  return topics
}

export function addPartition(
  assignment: AssignmentBuilder,
  topicId: string,
  partition: number,
): void {
  const partitions = assignment.get(topicId)
  if (partitions === undefined) assignment.set(topicId, new Set([partition]))
  else partitions.add(partition)
}

export function hasPartition(assignment: Assignment, topicId: string, partition: number): boolean {
  return assignment.get(topicId)?.has(partition) === true
}

/** How many partitions it has. */
export function assignmentSize(assignment: Assignment): number {
  let size = 0
  for (const partitions of assignment.values()) size += partitions.size
  return size
}

export function isSameAssignment(a: Assignment, b: Assignment): boolean {
  if (a === b) return true
  return assignmentSize(a) === assignmentSize(b) && isWithin(a, b)
}

/** Whether all partitions of `inner` are in `outer`. */
export function isWithin(inner: Assignment, outer: Assignment): boolean {
  for (const [topicId, partitions] of inner) {
    const others = outer.get(topicId)
    if (others === undefined ? partitions.size > 0 : !partitions.isSubsetOf(others)) return false
  }
  return true
}

/** Whether any partition is in both. */
export function isOverlapping(a: Assignment, b: Assignment): boolean {
  for (const [topicId, partitions] of a) {
    if (b.get(topicId)?.isDisjointFrom(partitions) === false) return true
  }
  return false
}

/** Each partition, one by one. */
export function* partitionsOf(assignment: Assignment): Generator<[string, number]> {
  for (const [topicId, partitions] of assignment) {
    for (const partition of partitions) yield [topicId, partition]
  }
}
