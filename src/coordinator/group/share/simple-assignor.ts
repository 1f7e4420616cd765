/**
 * The assignor of share groups, `simple` (KIP-932). Several members may have one partition, so what
 * it balances is both how many partitions a member has and how many members a partition. Every
 * partition goes to at least one member, every member gets at least one partition, and what a
 * member has it keeps where that does not hinder the others.
 *
 * ```
 * 2 partitions, 5 members: a partition is shared by 3 members at most, a member has one or two
 *   p0  a b c      p1  d e a
 * ```
 * Members of different subscriptions are dealt with topic by topic.
 */
import {
  type Assignment,
  type AssignmentBuilder,
  addPartition,
  hasPartition,
} from '../consumer/assignment.ts'

export interface AssignableMember {
  readonly memberId: string
  readonly topicIds: ReadonlySet<string>
  /** What it has at present. */
  readonly assignment: Assignment
}

interface TopicPartition {
  readonly topicId: string
  readonly partition: number
}

/** What each member is to have of `partitions`, which are those that may be assigned. */
export function assignSimply(
  members: readonly AssignableMember[],
  partitions: Assignment,
): Map<string, Assignment> {
  const target = new Map<string, AssignmentBuilder>()
  for (const { memberId } of members) target.set(memberId, new Map())
  for (const topicIds of topicsToShare(members, partitions)) {
    const subscribers = members.filter((member) => member.topicIds.has(topicIds[0]!))
    const shared = topicIds.flatMap((topicId) =>
      [...partitions.get(topicId)!].map((partition) => ({ topicId, partition })),
    )
    if (subscribers.length > 0 && shared.length > 0) new Sharing(subscribers, shared, target).run()
  }
  return target
}

/** Topics that are dealt with together: all where all members want the same, else one by one. */
function topicsToShare(members: readonly AssignableMember[], partitions: Assignment): string[][] {
  const topicIds = [...partitions.keys()].sort()
  const first = members[0]?.topicIds ?? new Set()
  const areAlike = members.every(({ topicIds: wanted }) => {
    return wanted.size === first.size && [...wanted].every((topicId) => first.has(topicId))
  })
  if (!areAlike) return topicIds.map((topicId) => [topicId])
  const wanted = topicIds.filter((topicId) => first.has(topicId))
  return wanted.length === 0 ? [] : [wanted]
}

/** Shares partitions among members who all want them. */
class Sharing {
  readonly #members: readonly AssignableMember[]
  readonly #partitions: readonly TopicPartition[]
  readonly #target: ReadonlyMap<string, AssignmentBuilder>
  /** How many of these partitions each member has so far, and is to have. */
  readonly #counts: number[]
  readonly #quotas: number[]
  /** How many members each partition has so far. */
  readonly #sharing: number[]
  readonly #maxSharing: number

  constructor(
    members: readonly AssignableMember[],
    partitions: readonly TopicPartition[],
    target: ReadonlyMap<string, AssignmentBuilder>,
  ) {
    this.#members = members
    this.#partitions = partitions
    this.#target = target
    this.#maxSharing = Math.ceil(members.length / partitions.length)
    const share = (this.#maxSharing * partitions.length) / members.length
    this.#counts = members.map(() => 0)
    this.#quotas = members.map((_, i) => Math.ceil(share * (i + 1)) - Math.ceil(share * i))
    this.#sharing = partitions.map(() => 0)
  }

  run(): void {
    this.#keep()
    for (const p of this.#partitions.keys()) this.#fill(p)
    for (const p of this.#partitions.keys()) {
      if (this.#sharing[p] === 0) this.#give(this.#leastLoaded(), p)
    }
    for (const m of this.#members.keys()) {
      if (this.#counts[m] === 0) this.#give(m, this.#leastShared())
    }
  }

  #keep(): void {
    for (const [p, { topicId, partition }] of this.#partitions.entries()) {
      for (const [m, { assignment }] of this.#members.entries()) {
        if (this.#sharing[p]! >= this.#maxSharing) break
        const hasIt = hasPartition(assignment, topicId, partition)
        if (hasIt && this.#counts[m]! < this.#quotas[m]!) this.#give(m, p)
      }
    }
  }

  /** Gives a partition to members who have less than their due, those with least first. */
  #fill(p: number): void {
    while (this.#sharing[p]! < this.#maxSharing) {
      let chosen = -1
      for (const m of this.#members.keys()) {
        if (this.#counts[m]! >= this.#quotas[m]! || this.#has(m, p)) continue
        if (chosen === -1 || this.#counts[m]! < this.#counts[chosen]!) chosen = m
      }
      if (chosen === -1) return
      this.#give(chosen, p)
    }
  }

  #leastLoaded(): number {
    return indexOfLeast(this.#counts)
  }

  #leastShared(): number {
    return indexOfLeast(this.#sharing)
  }

  #has(m: number, p: number): boolean {
    const { topicId, partition } = this.#partitions[p]!
    return hasPartition(this.#target.get(this.#members[m]!.memberId)!, topicId, partition)
  }

  #give(m: number, p: number): void {
    const { topicId, partition } = this.#partitions[p]!
    addPartition(this.#target.get(this.#members[m]!.memberId)!, topicId, partition)
    this.#counts[m]! += 1
    this.#sharing[p]! += 1
  }
}

function indexOfLeast(numbers: readonly number[]): number {
  return numbers.reduce((least, number, i) => (number < numbers[least]! ? i : least), 0)
}
