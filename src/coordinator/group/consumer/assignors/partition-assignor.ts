/**
 * What a server-side assignor of KIP-848 is: a pure function from who subscribes to what, and what
 * each member was to have so far, to what each is to have.
 */
import type { Assignment } from '../assignment.ts'

export interface MemberSpec {
  readonly instanceId: string | null
  readonly rackId: string | null
  /** The ids of the topics it subscribes to. All exist. */
  readonly topicIds: ReadonlySet<string>
  /** What it was to have. May hold topics that it no longer subscribes to, or that are gone. */
  readonly assignment: Assignment
}

export interface GroupSpec {
  /** By member id. */
  readonly members: ReadonlyMap<string, MemberSpec>
  /** Of a subscribed topic. */
  partitionCount(topicId: string): number
}

export interface PartitionAssignor {
  /** As members and `group.consumer.assignors` name it. */
  readonly name: string

  /** What each member is to have. Every partition of every subscribed topic goes to one member. */
  assign(group: GroupSpec): Map<string, Assignment>
}

/** Whether all members subscribe to the same topics. */
export function isHomogeneous({ members }: GroupSpec): boolean {
  const [first, ...others] = members.values()
  return others.every(({ topicIds }) => isSameSet(topicIds, first!.topicIds))
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a === b || (a.size === b.size && a.isSubsetOf(b))
}

/** The subscribers of each topic, in the order of `members`. */
export function subscribersByTopic(
  members: Iterable<readonly [memberId: string, MemberSpec]>,
): Map<string, string[]> {
  const subscribers = new Map<string, string[]>()
  for (const [memberId, { topicIds }] of members) {
    for (const topicId of topicIds) {
      const others = subscribers.get(topicId)
      if (others === undefined) subscribers.set(topicId, [memberId])
      else others.push(memberId)
    }
  }
  return subscribers
}
