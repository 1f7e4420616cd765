/**
 * The leader's work in a classic group: what all members told when they joined goes to the assignor
 * that the group agreed on, and what that says goes back to the coordinator.
 *
 * Afterwards the leader watches the topics of all: when partitions are added, or topics come or go,
 * the group has to rebalance, and nobody else would notice.
 */
import { KafkaError } from '../../../common/errors.ts'
import {
  decodeConsumerSubscription,
  encodeConsumerAssignment,
} from '../../../protocol/consumer-protocol.ts'
import type { JoinGroupResponse } from '../../../protocol/messages/join-group.ts'
import type { CallLimits } from '../../cluster/call-limits.ts'
import { numbersByTopic, partitionName } from '../../topic-partition.ts'
import type { Assignor, MemberAssignment, SubscribedMember } from './assignor.ts'
import type { MembershipHost } from './group-membership.ts'
import { assignableTopics, type TopicWatch } from './topic-watch.ts'

/** What SyncGroup wants from the leader. */
type EncodedAssignment = { readonly memberId: string; readonly assignment: Buffer }

export class LeaderAssignment {
  readonly #host: MembershipHost
  readonly #watch: TopicWatch
  #topics: ReadonlySet<string> | undefined
  /** What the topics were like when they were assigned. */
  #snapshot = ''
  #lookedAt: unknown

  constructor(host: MembershipHost, watch: TopicWatch) {
    this.#host = host
    this.#watch = watch
  }

  /** Whether this member leads, and the group's topics are not what they were. */
  get isOutdated(): boolean {
    const { metadata } = this.#watch
    if (this.#topics === undefined || metadata === this.#lookedAt) return false
    this.#lookedAt = metadata
    return this.#takeSnapshot(this.#topics) !== this.#snapshot
  }

  /** The topics of all members, while this one leads. */
  get topics(): ReadonlySet<string> | undefined {
    return this.#topics
  }

  /** Somebody else may lead now. */
  resign(): void {
    this.#topics = undefined
    this.#lookedAt = undefined
  }

  /**
   * Assigns for the members of `joined`. The assignment is empty where the coordinator keeps the
   * one that the group has (a static leader that comes back).
   */
  async assign(
    joined: JoinGroupResponse,
    assignor: Assignor,
    limits: CallLimits,
  ): Promise<EncodedAssignment[]> {
    const members = new Map(joined.members.map((member) => [member.memberId, memberOf(member)]))
    const topics = new Set([...members.values()].flatMap((member) => member.topics))
    await this.#watch.learn(topics, limits)
    this.#topics = topics
    this.#lookedAt = this.#watch.metadata
    this.#snapshot = this.#takeSnapshot(topics)
    if (joined.skipAssignment) return []
    const available = assignableTopics(this.#watch.metadata, topics)
    const missing = [...topics].filter((topic) => !available.has(topic))
    const { log } = this.#host.environment
    if (missing.length > 0) log.warn(`There is no metadata of topics ${missing.join(', ')}`)
    const assigned = assignor.assign(available, members)
    if (assignor.protocol === 'cooperative') checkCooperative(assignor, members, assigned)
    return [...members.keys()].map((memberId) => {
      const { partitions = [], userData = null } = assigned.get(memberId) ?? {}
      const assignedPartitions = numbersByTopic(partitions).map(([topic, numbers]) => {
        return { topic, partitions: numbers }
      })
      const assignment = encodeConsumerAssignment({ assignedPartitions, userData })
      return { memberId, assignment }
    })
  }

  #takeSnapshot(topics: ReadonlySet<string>): string {
    const isRackAware = this.#host.config.get('client.rack') !== ''
    const all = [...assignableTopics(this.#watch.metadata, topics).values()]
    return JSON.stringify(
      all.map(({ name, partitionCount, racks }) => {
        return isRackAware ? [name, racks.map((some) => some.toSorted())] : [name, partitionCount]
      }),
    )
  }
}

function memberOf(joined: JoinGroupResponse['members'][number]): SubscribedMember {
  const { memberId, groupInstanceId, metadata } = joined
  const { topics, userData, ownedPartitions, generationId, rackId } =
    decodeConsumerSubscription(metadata)
  return {
    ...{ memberId, instanceId: groupInstanceId, rackId, topics, userData, generationId },
    ownedPartitions: ownedPartitions.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    ),
  }
}

/** Throws if a partition is given to one member while another has it and is to give it back. */
function checkCooperative(
  assignor: Assignor,
  members: ReadonlyMap<string, SubscribedMember>,
  assigned: ReadonlyMap<string, MemberAssignment>,
): void {
  // The built-in one has rules of its own for members that claim the same.
  if (assignor.name === 'cooperative-sticky') return
  const owners = new Map<string, string>()
  for (const { memberId, ownedPartitions } of members.values()) {
    for (const partition of ownedPartitions) owners.set(partitionName(partition), memberId)
  }
  for (const [memberId, { partitions }] of assigned) {
    for (const partition of partitions) {
      const owner = owners.get(partitionName(partition))
      if (owner === undefined || owner === memberId) continue
      const text =
        `Assignor ${assignor.name} is cooperative and gives ${partitionName(partition)} to ` +
        `${memberId} while ${owner} still has it; leave it out until its owner has given it back`
      throw new KafkaError('UNKNOWN_SERVER_ERROR', text)
    }
  }
}
