/**
 * `sticky` (KIP-54) and `cooperative-sticky` (KIP-429): balanced assignments in which partitions
 * stay where they are as far as that allows (see `sticky-assignment.ts`).
 *
 * Under `sticky` members give everything back before a rebalance; what each had it tells in its
 * user data. Under `cooperative-sticky` members keep what they own, so that a partition that is to
 * move is given to nobody in the rebalance that takes it away, and to its new owner in the next.
 *
 * A member that was away may claim what others have had since: the claim of the newer generation
 * counts (KIP-792), and where two are from one generation, neither does.
 *
 * Each consumer has its own assignor, which remembers what that consumer was given.
 */
import {
  decodeCooperativeStickyData,
  decodeStickyData,
  encodeCooperativeStickyData,
  encodeStickyData,
} from '../../../protocol/sticky-assignor-data.ts'
import type { ConsumerGroup } from '../../producer/transactions.ts'
import { numbersByTopic, partitionName, type TopicPartition } from '../../topic-partition.ts'
import type { AssignableTopic, Assignor, MemberAssignment, SubscribedMember } from './assignor.ts'
import { assignSticky } from './sticky-assignment.ts'

type Topics = ReadonlyMap<string, AssignableTopic>
type Members = ReadonlyMap<string, SubscribedMember>

export class StickyAssignor implements Assignor {
  readonly name = 'sticky'
  readonly protocol = 'eager'
  #previous: readonly TopicPartition[] | undefined
  #generation = -1

  subscriptionUserData(): Buffer | null {
    if (this.#previous === undefined) return null
    const previousAssignment = numbersByTopic(this.#previous).map(([topic, partitions]) => {
      return { topic, partitions }
    })
    return encodeStickyData({ previousAssignment, generation: this.#generation })
  }

  onAssignment({ partitions }: MemberAssignment, { generationId = -1 }: ConsumerGroup): void {
    this.#previous = partitions
    this.#generation = generationId
  }

  assign(topics: Topics, members: Members): Map<string, MemberAssignment> {
    const claims = [...members.values()].map(({ memberId, userData }): Claim => {
      if (userData === null) return { memberId, owned: [], generation: -1 }
      const { previousAssignment, generation } = decodeStickyData(userData)
      const owned = previousAssignment.flatMap(({ topic, partitions }) =>
        partitions.map((partition) => ({ topic, partition })),
      )
      return { memberId, owned, generation }
    })
    const assigned = assignSticky(topics, stickyMembers(members, claims).members)
    return new Map([...assigned].map(([memberId, partitions]) => [memberId, { partitions }]))
  }
}

export class CooperativeStickyAssignor implements Assignor {
  readonly name = 'cooperative-sticky'
  readonly protocol = 'cooperative'
  #generation = -1

  subscriptionUserData(): Buffer {
    return encodeCooperativeStickyData(this.#generation)
  }

  onAssignment(_assignment: MemberAssignment, { generationId = -1 }: ConsumerGroup): void {
    this.#generation = generationId
  }

  assign(topics: Topics, members: Members): Map<string, MemberAssignment> {
    const claims = [...members.values()].map((member): Claim => {
      const { memberId, ownedPartitions: owned, generationId, userData } = member
      const told = userData === null ? -1 : decodeCooperativeStickyData(userData)
      return { memberId, owned, generation: generationId >= 0 ? generationId : told }
    })
    const { members: sticky, disputed } = stickyMembers(members, claims)
    const assigned = assignSticky(topics, sticky)
    const claimants = claimantsByPartition(claims)
    return new Map(
      [...assigned].map(([memberId, partitions]) => {
        const isFree = (partition: TopicPartition) => {
          const name = partitionName(partition)
          const claimed = claimants.get(name)
          return claimed === undefined || (claimed.has(memberId) && !disputed.has(name))
        }
        return [memberId, { partitions: partitions.filter(isFree) }]
      }),
    )
  }
}

/** What a member says that it has. */
interface Claim {
  readonly memberId: string
  readonly owned: readonly TopicPartition[]
  readonly generation: number
}

/** The members with what they may keep, and the names of what several claim with equal right. */
function stickyMembers(members: Members, claims: readonly Claim[]) {
  const winners = new Map<string, Claim>()
  const disputed = new Set<string>()
  for (const claim of claims) {
    for (const partition of claim.owned) {
      const name = partitionName(partition)
      const other = winners.get(name)
      if (other !== undefined && other.generation > claim.generation) continue
      if (other?.generation === claim.generation && other !== claim) disputed.add(name)
      else disputed.delete(name)
      winners.set(name, claim)
    }
  }
  const sticky = claims.map((claim) => ({
    memberId: claim.memberId,
    topics: new Set(members.get(claim.memberId)!.topics),
    owned: claim.owned.filter((partition) => {
      const name = partitionName(partition)
      return winners.get(name) === claim && !disputed.has(name)
    }),
  }))
  return { members: sticky, disputed }
}

function claimantsByPartition(claims: readonly Claim[]): Map<string, Set<string>> {
  const claimants = new Map<string, Set<string>>()
  for (const { memberId, owned } of claims) {
    for (const partition of owned) {
      const name = partitionName(partition)
      const found = claimants.get(name)
      if (found === undefined) claimants.set(name, new Set([memberId]))
      else found.add(memberId)
    }
  }
  return claimants
}
