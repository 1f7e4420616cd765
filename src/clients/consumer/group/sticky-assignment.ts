/**
 * The assignment that sticky assignors make: as even as subscriptions allow, and, among those that
 * are, one that leaves partitions where they are.
 *
 * First each member keeps what it had, then what is left goes to who has least. After that
 * partitions move, from a member that has more to one that has at least two fewer, directly or over
 * others in between:
 *
 * ```
 * A has t1-0 t1-1 t1-2, B (t1 and t2) has t2-0 t2-1, C (t2) has t2-2
 *   t1-2 from A to B, t2-1 from B to C: two each
 * ```
 * When no such chain is left, no other assignment has smaller squares in sum (assigning partitions
 * is a semi-matching, and those without a cost-reducing path are optimal: Harvey and others, 2006).
 * Chains are as short as possible, and what came to a member just now goes first, so that little
 * that anybody had is taken away.
 */
import type { TopicPartition } from '../../topic-partition.ts'
import type { AssignableTopic } from './assignor.ts'
import { compareText } from './member-order.ts'

export interface StickyMember {
  readonly memberId: string
  readonly topics: ReadonlySet<string>
  /** What it had and may keep; no partition is with two members. */
  readonly owned: readonly TopicPartition[]
}

/** What each member is to have. All of it exists and is subscribed to. */
export function assignSticky(
  topics: ReadonlyMap<string, AssignableTopic>,
  members: readonly StickyMember[],
): Map<string, TopicPartition[]> {
  const draft = new Draft(topics, members)
  draft.keepOwned()
  draft.dealOut()
  draft.balance()
  return draft.result()
}

/** A member's partitions of one topic: those it had, and those that came to it. */
interface Holding {
  readonly kept: number[]
  readonly gained: number[]
}

class Holder {
  readonly member: StickyMember
  readonly holdings = new Map<string, Holding>()
  size = 0

  constructor(member: StickyMember) {
    this.member = member
  }

  add(topic: string, partition: number, isKept: boolean): void {
    let holding = this.holdings.get(topic)
    if (holding === undefined) {
      holding = { kept: [], gained: [] }
      this.holdings.set(topic, holding)
    }
    if (isKept) holding.kept.push(partition)
    else holding.gained.push(partition)
    this.size += 1
  }

  /** Takes away the partition of a topic that it will miss least. */
  take(topic: string): number {
    const { kept, gained } = this.holdings.get(topic)!
    const partition = (gained.pop() ?? kept.pop())!
    if (kept.length + gained.length === 0) this.holdings.delete(topic)
    this.size -= 1
    return partition
  }
}

/** How a search came to a holder: by which topic, from whom. */
interface Step {
  readonly from: Holder
  readonly topic: string
}

class Draft {
  readonly #topics: ReadonlyMap<string, AssignableTopic>
  readonly #holders: Holder[]
  readonly #subscribers = new Map<string, Holder[]>()
  readonly #taken = new Map<string, Set<number>>()

  constructor(topics: ReadonlyMap<string, AssignableTopic>, members: readonly StickyMember[]) {
    this.#topics = topics
    this.#holders = members
      .toSorted((a, b) => compareText(a.memberId, b.memberId))
      .map((member) => new Holder(member))
    for (const name of [...topics.keys()].sort(compareText)) {
      this.#subscribers.set(
        name,
        this.#holders.filter(({ member }) => member.topics.has(name)),
      )
      this.#taken.set(name, new Set())
    }
  }

  keepOwned(): void {
    for (const holder of this.#holders) {
      // Those with higher numbers are the first to go: a balanced group differs little from range.
      const owned = holder.member.owned.toSorted((a, b) => a.partition - b.partition)
      for (const { topic, partition } of owned) {
        const taken = this.#taken.get(topic)
        const exists = partition < (this.#topics.get(topic)?.partitionCount ?? 0)
        if (taken === undefined || !exists || !holder.member.topics.has(topic)) continue
        if (taken.has(partition)) continue
        taken.add(partition)
        holder.add(topic, partition, true)
      }
    }
  }

  /** Gives what nobody has to who has least; topics with few subscribers first. */
  dealOut(): void {
    const order = [...this.#subscribers].sort(([, a], [, b]) => a.length - b.length)
    for (const [topic, subscribers] of order) {
      if (subscribers.length === 0) continue
      const taken = this.#taken.get(topic)!
      const { partitionCount } = this.#topics.get(topic)!
      const queue = new LeastFirst(subscribers)
      for (let partition = 0; partition < partitionCount; partition++) {
        if (!taken.has(partition)) queue.giveToLeast(topic, partition)
      }
    }
  }

  /** Always from who has most, or partitions would go on to where they are too many again. */
  balance(): void {
    const mostFirst = () => this.#holders.toSorted((a, b) => b.size - a.size)
    while (mostFirst().some((holder) => this.#relieve(holder))) {
      // Each move makes the sum of squares smaller, so there is an end to them.
    }
  }

  result(): Map<string, TopicPartition[]> {
    return new Map(
      this.#holders.map(({ member, holdings }) => {
        const partitions = [...holdings].flatMap(([topic, { kept, gained }]) =>
          [...kept, ...gained].sort((a, b) => a - b).map((partition) => ({ topic, partition })),
        )
        return [member.memberId, partitions]
      }),
    )
  }

  /** Moves a partition away from a holder, by the shortest chain, if that makes it more even. */
  #relieve(start: Holder): boolean {
    const least = this.#holders.reduce((min, { size }) => Math.min(min, size), start.size)
    if (start.size - least < 2) return false
    const steps = new Map<Holder, Step | undefined>([[start, undefined]])
    const seenTopics = new Set<string>()
    for (const holder of steps.keys()) {
      for (const topic of holder.holdings.keys()) {
        if (seenTopics.has(topic)) continue
        seenTopics.add(topic)
        for (const next of this.#subscribers.get(topic)!) {
          if (!steps.has(next)) steps.set(next, { from: holder, topic })
        }
      }
    }
    const end = this.#leastReached(start, steps.keys())
    if (end === undefined) return false
    let to = end
    for (let step = steps.get(to); step !== undefined; step = steps.get(to)) {
      to.add(step.topic, step.from.take(step.topic), false)
      to = step.from
    }
    return true
  }

  /** Who has least of those reached, the first of several, if it is two fewer at least. */
  #leastReached(start: Holder, reached: Iterable<Holder>): Holder | undefined {
    let least = start
    for (const holder of reached) if (holder.size < least.size) least = holder
    return start.size - least.size >= 2 ? least : undefined
  }
}

/** A heap of holders, who has least on top. */
class LeastFirst {
  readonly #heap: Holder[]

  constructor(holders: readonly Holder[]) {
    // An array in order is a heap.
    this.#heap = holders.toSorted((a, b) => a.size - b.size)
  }

  giveToLeast(topic: string, partition: number): void {
    const heap = this.#heap
    const least = heap[0]!
    least.add(topic, partition, false)
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const right = left + 1
      const child = right < heap.length && heap[right]!.size < heap[left]!.size ? right : left
      if (child >= heap.length || heap[child]!.size >= least.size) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = least
  }
}
