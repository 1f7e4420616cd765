/**
 * A consumer group of KIP-848: what its records say, and what follows from that at once. It changes
 * by its records only, in the `apply…` and `set…` methods, which take them in any order that a
 * compacted log may show; ConsumerGroups decides what to record.
 *
 * ```
 * groupEpoch        rises when a subscription, a member or a topic changes
 * assignmentEpoch   the group epoch for which the target assignment was made
 * member epochs     the assignment epoch that each member has come to
 * ```
 */
import { KafkaError } from '../../../common/errors.ts'
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import type { Group, OffsetCommitter } from '../group.ts'
import {
  ConsumerGroupCurrentMemberAssignmentRecord,
  ConsumerGroupMemberMetadataRecord,
  ConsumerGroupMetadataRecord,
  ConsumerGroupPartitionMetadataRecord,
  ConsumerGroupRegularExpressionRecord,
  ConsumerGroupTargetAssignmentMemberRecord,
  ConsumerGroupTargetAssignmentMetadataRecord,
} from '../group-records.ts'
import { type Assignment, EMPTY_ASSIGNMENT, partitionsOf } from './assignment.ts'
import {
  type ConsumerGroupMember,
  isReconciledTo,
  usesClassicProtocol,
} from './consumer-group-member.ts'

/** The topics that a regular expression stands for. */
export interface ResolvedRegularExpression {
  readonly topics: ReadonlySet<string>
  /** When it was resolved, in milliseconds since the Unix epoch. */
  readonly timestamp: number
}

/** From this version of OffsetCommit on, its generation may be a member epoch. */
const OFFSET_COMMIT_WITH_MEMBER_EPOCH = 9

export class ConsumerGroup implements Group {
  readonly type = 'consumer'
  readonly protocolType = 'consumer'
  readonly groupId: string

  groupEpoch = 0
  assignmentEpoch = 0
  /** Of the subscribed topics, as of the group epoch. */
  metadataHash = 0n
  /** Whether the log has a record of the type that `metadataHash` has replaced. */
  hasPartitionMetadataRecord = false

  /** Not recorded: how the topics stood, by the coordinator's count, when the group last looked. */
  checkedTopicsVersion = -1
  /** Not recorded: when the group epoch last rose, in milliseconds since the Unix epoch. */
  changedAt = Number.NEGATIVE_INFINITY

  readonly #members = new Map<string, ConsumerGroupMember>()
  readonly #memberIdByInstanceId = new Map<string, string>()
  readonly #targets = new Map<string, Assignment>()
  readonly #regularExpressions = new Map<string, ResolvedRegularExpression>()
  /** Who has each partition, be it pending revocation: by topic id. */
  readonly #owners = new Map<string, Map<number, string>>()
  #subscribedTopics: ReadonlySet<string> | undefined

  constructor(groupId: string) {
    this.groupId = groupId
  }

  get members(): ReadonlyMap<string, ConsumerGroupMember> {
    return this.#members
  }

  /** What each member is to have. */
  get targets(): ReadonlyMap<string, Assignment> {
    return this.#targets
  }

  get regularExpressions(): ReadonlyMap<string, ResolvedRegularExpression> {
    return this.#regularExpressions
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  get stateName(): 'Empty' | 'Assigning' | 'Reconciling' | 'Stable' {
    if (this.isEmpty) return 'Empty'
    if (this.groupEpoch > this.assignmentEpoch) return 'Assigning'
    for (const member of this.#members.values()) {
      if (!isReconciledTo(member, this.assignmentEpoch)) return 'Reconciling'
    }
    return 'Stable'
  }

  /** The member. Throws KafkaError UNKNOWN_MEMBER_ID. */
  member(memberId: string): ConsumerGroupMember {
    const member = this.#members.get(memberId)
    if (member !== undefined) return member
    const message = `Member ${memberId} is not a member of group ${this.groupId}.`
    throw new KafkaError('UNKNOWN_MEMBER_ID', message)
  }

  /** The member that has the instance id now. */
  staticMember(instanceId: string): ConsumerGroupMember | undefined {
    const memberId = this.#memberIdByInstanceId.get(instanceId)
    return memberId === undefined ? undefined : this.#members.get(memberId)
  }

  /** What the member is to have. */
  target(memberId: string): Assignment {
    return this.#targets.get(memberId) ?? EMPTY_ASSIGNMENT
  }

  /** The member that has the partition, or still has to give it back. */
  ownerOf(topicId: string, partition: number): string | undefined {
    return this.#owners.get(topicId)?.get(partition)
  }

  /** The topics that members name, and those that their regular expressions stand for. */
  get subscribedTopics(): ReadonlySet<string> {
    this.#subscribedTopics ??= subscribedTopics(this.#members.values(), this.#regularExpressions)
    return this.#subscribedTopics
  }

  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics.has(topic)
  }

  validateOffsetCommit(committer: OffsetCommitter): void {
    const { memberId, generationIdOrMemberEpoch: epoch } = committer
    if (epoch < 0 && this.isEmpty) return
    const member = this.member(memberId)
    const isClassic = usesClassicProtocol(member)
    const isTooOld = committer.apiVersion < OFFSET_COMMIT_WITH_MEMBER_EPOCH
    if (!committer.isTransactional && !isClassic && isTooOld) {
      throw new KafkaError(
        'UNSUPPORTED_VERSION',
        'OffsetCommit version 9 or above must be used by members using the modern group protocol',
      )
    }
    validateEpoch(epoch, member)
  }

  validateOffsetFetch(memberId: string | null, memberEpoch: number): void {
    if (memberId === null && memberEpoch < 0) return
    validateEpoch(memberEpoch, this.member(memberId ?? ''))
  }

  validateDelete(): void {
    if (!this.isEmpty) throw new KafkaError('NON_EMPTY_GROUP')
  }

  validateOffsetDelete(): void {}

  offsetExpirationBase(commitTimestamp: number): number {
    return commitTimestamp
  }

  /** In the order in which they may be replayed: what a member has goes before the member. */
  tombstones(): CoordinatorRecord[] {
    const { groupId } = this
    const records: CoordinatorRecord[] = []
    for (const memberId of this.#members.keys()) {
      records.push(ConsumerGroupCurrentMemberAssignmentRecord.of({ groupId, memberId }, null))
    }
    for (const memberId of this.#targets.keys()) {
      records.push(ConsumerGroupTargetAssignmentMemberRecord.of({ groupId, memberId }, null))
    }
    records.push(ConsumerGroupTargetAssignmentMetadataRecord.of({ groupId }, null))
    for (const memberId of this.#members.keys()) {
      records.push(ConsumerGroupMemberMetadataRecord.of({ groupId, memberId }, null))
    }
    if (this.hasPartitionMetadataRecord) {
      records.push(ConsumerGroupPartitionMetadataRecord.of({ groupId }, null))
    }
    for (const regularExpression of this.#regularExpressions.keys()) {
      const key = { groupId, regularExpression }
      records.push(ConsumerGroupRegularExpressionRecord.of(key, null))
    }
    records.push(ConsumerGroupMetadataRecord.of({ groupId }, null))
    return records
  }

  /** Another group in the same state, on which to try out records. */
  copy(): ConsumerGroup {
    const copy = new ConsumerGroup(this.groupId)
    copy.groupEpoch = this.groupEpoch
    copy.assignmentEpoch = this.assignmentEpoch
    copy.metadataHash = this.metadataHash
    copy.hasPartitionMetadataRecord = this.hasPartitionMetadataRecord
    for (const member of this.#members.values()) copy.setMember(member)
    for (const [memberId, target] of this.#targets) copy.setTarget(memberId, target)
    for (const [text, resolved] of this.#regularExpressions) {
      copy.setRegularExpression(text, resolved)
    }
    return copy
  }

  /** Adds the member or puts it in the place of its former self. */
  setMember(member: ConsumerGroupMember): void {
    const { memberId, instanceId } = member
    const former = this.#members.get(memberId)
    if (former !== undefined) this.#disown(former)
    this.#members.set(memberId, member)
    this.#own(member)
    if (instanceId !== null) this.#memberIdByInstanceId.set(instanceId, memberId)
    this.#subscribedTopics = undefined
  }

  removeMember(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member === undefined) return
    this.#members.delete(memberId)
    this.#disown(member)
    const { instanceId } = member
    // A member that has taken over the instance id keeps it.
    if (instanceId !== null && this.#memberIdByInstanceId.get(instanceId) === memberId) {
      this.#memberIdByInstanceId.delete(instanceId)
    }
    this.#subscribedTopics = undefined
  }

  /** Undefined removes it. */
  setTarget(memberId: string, target: Assignment | undefined): void {
    if (target === undefined) this.#targets.delete(memberId)
    else this.#targets.set(memberId, target)
  }

  /** Undefined removes it. */
  setRegularExpression(text: string, resolved: ResolvedRegularExpression | undefined): void {
    if (resolved === undefined) this.#regularExpressions.delete(text)
    else this.#regularExpressions.set(text, resolved)
    this.#subscribedTopics = undefined
  }

  /**
   * Finds out anew who has which partition. In the middle of a compacted log two members may seem
   * to have the same one; at its end they do not.
   */
  rebuildOwners(): void {
    this.#owners.clear()
    for (const member of this.#members.values()) this.#own(member)
  }

  #own(member: ConsumerGroupMember): void {
    for (const assignment of [member.assignedPartitions, member.partitionsPendingRevocation]) {
      for (const [topicId, partitions] of assignment) {
        const owners = this.#owners.get(topicId) ?? new Map<number, string>()
        this.#owners.set(topicId, owners)
        for (const partition of partitions) owners.set(partition, member.memberId)
      }
    }
  }

  #disown(member: ConsumerGroupMember): void {
    for (const assignment of [member.assignedPartitions, member.partitionsPendingRevocation]) {
      for (const [topicId, partition] of partitionsOf(assignment)) {
        const owners = this.#owners.get(topicId)
        if (owners?.get(partition) !== member.memberId) continue
        owners.delete(partition)
        if (owners.size === 0) this.#owners.delete(topicId)
      }
    }
  }
}

/** The topics that these members subscribe to, by name or by regular expression. */
export function subscribedTopics(
  members: Iterable<ConsumerGroupMember>,
  regularExpressions: ReadonlyMap<string, ResolvedRegularExpression>,
): Set<string> {
  const topics = new Set<string>()
  const seen = new Set<string>()
  for (const { subscribedTopicNames, subscribedTopicRegex } of members) {
    for (const topic of subscribedTopicNames) topics.add(topic)
    if (!subscribedTopicRegex || seen.has(subscribedTopicRegex)) continue
    seen.add(subscribedTopicRegex)
    for (const topic of regularExpressions.get(subscribedTopicRegex)?.topics ?? []) {
      topics.add(topic)
    }
  }
  return topics
}

function validateEpoch(epoch: number, member: ConsumerGroupMember): void {
  if (epoch === member.memberEpoch) return
  if (usesClassicProtocol(member)) {
    throw new KafkaError(
      'ILLEGAL_GENERATION',
      `The received generation id ${epoch} does not match the expected member epoch ` +
        `${member.memberEpoch}.`,
    )
  }
  throw new KafkaError(
    'STALE_MEMBER_EPOCH',
    `The received member epoch ${epoch} does not match the expected member epoch ` +
      `${member.memberEpoch}.`,
  )
}
