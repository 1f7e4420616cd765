/**
 * What is to be recorded when a member of a consumer group joins, changes, goes on, or leaves:
 *
 * ```
 * the member  ─►  has a subscription or a topic changed?  ─►  group epoch, one higher
 *             ─►  is the target of an older epoch?        ─►  target assignment
 *             ─►  is the member where the target is?      ─►  its current assignment
 * ```
 * Nothing is changed here: the records are replayed for that.
 */
import { KafkaError } from '../../../common/errors.ts'
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import {
  ConsumerGroupCurrentMemberAssignmentRecord,
  ConsumerGroupMemberMetadataRecord,
  ConsumerGroupMetadataRecord,
  ConsumerGroupPartitionMetadataRecord,
  ConsumerGroupRegularExpressionRecord,
  ConsumerGroupTargetAssignmentMemberRecord,
} from '../group-records.ts'
import { metadataHash } from '../metadata-hash.ts'
import type { TopicImage } from '../topic-image.ts'
import type { Assignment } from './assignment.ts'
import type { PartitionAssignor } from './assignors/partition-assignor.ts'
import {
  type ConsumerGroup,
  type ResolvedRegularExpression,
  subscribedTopics,
} from './consumer-group.ts'
import {
  type ConsumerGroupMember,
  currentAssignmentRecord,
  isSameMetadata,
  isSameSubscription,
  memberMetadataRecord,
} from './consumer-group-member.ts'
import { RegularExpression } from './re2/expression.ts'
import { reconcile } from './reconciliation.ts'
import { computeTarget, subscribedTopicIds, targetRecord } from './target-assignment.ts'

/** What decisions depend on besides the group. */
export interface GroupEnvironment {
  readonly topics: TopicImage
  /** The first is the default. */
  readonly assignors: readonly PartitionAssignor[]
  /** In milliseconds since the Unix epoch. */
  readonly now: number
}

export interface MemberChange {
  readonly group: ConsumerGroup
  /** The member so far; one of which nothing is known if it is new. */
  readonly before: ConsumerGroupMember
  /** The same with what it now says of itself. */
  readonly after: ConsumerGroupMember
  /** The static member whose place it takes, under another member id. */
  readonly replaced?: ConsumerGroupMember | undefined
  /** What it says it has, or undefined if it says nothing. */
  readonly owned: Assignment | undefined
  /** The topics that have changed since the group last looked; undefined: it may be any. */
  readonly changedTopics: ReadonlySet<string> | undefined
}

export interface MemberChangeResult {
  readonly records: CoordinatorRecord[]
  readonly member: ConsumerGroupMember
  readonly groupEpoch: number
  /** The epoch for which the target assignment is. */
  readonly targetEpoch: number
}

type Members = ReadonlyMap<string, ConsumerGroupMember>
type RegularExpressions = ReadonlyMap<string, ResolvedRegularExpression>

/** Throws KafkaError INVALID_REGULAR_EXPRESSION, FENCED_MEMBER_EPOCH. */
export function changeMember(
  change: MemberChange,
  environment: GroupEnvironment,
): MemberChangeResult {
  const { group, before, after, replaced, owned, changedTopics } = change
  const { topics } = environment
  const records = memberRecords(change)
  let members: Members | undefined
  let { groupEpoch }: { groupEpoch: number } = group
  let { regularExpressions }: { regularExpressions: RegularExpressions } = group
  const isChange = groupEpoch === 0 || !isSameSubscription(before, after)
  if (isChange || isConcerned(group, changedTopics)) {
    members = membersAfter(change)
    const review = reviewTopics({ group, members, isChange, changedTopics }, environment)
    records.push(...review.records)
    ;({ groupEpoch, regularExpressions } = review)
  }
  const inherited = replaced === undefined ? undefined : group.target(replaced.memberId)
  let target = inherited ?? group.target(after.memberId)
  let targetEpoch = group.assignmentEpoch
  if (groupEpoch > targetEpoch) {
    members ??= membersAfter(change)
    targetEpoch = groupEpoch
    const computed = computeTarget({
      ...{ group, members, regularExpressions, topics, epoch: groupEpoch },
      assignor: preferredAssignor(members.values(), environment.assignors),
      ...(inherited !== undefined && { inherited: new Map([[after.memberId, inherited]]) }),
    })
    records.push(...computed.records)
    target = computed.assignments.get(after.memberId)!
  }
  const member = reconcile({
    ...{ member: after, targetEpoch, target, owned },
    subscribedTopicIds: subscribedTopicIds(after, regularExpressions, topics),
    ownerOf: (topicId, partition) => group.ownerOf(topicId, partition),
  })
  if (member !== after) records.push(currentAssignmentRecord(group.groupId, member))
  return { records, member, groupEpoch, targetEpoch }
}

/** Whether changes of these topics may mean something to the group. */
function isConcerned(group: ConsumerGroup, changed: ReadonlySet<string> | undefined): boolean {
  if (changed === undefined) return true
  if (changed.size === 0) return false
  return group.regularExpressions.size > 0 || !changed.isDisjointFrom(group.subscribedTopics)
}

function memberRecords({ group, before, after, replaced }: MemberChange): CoordinatorRecord[] {
  const { groupId } = group
  const isKnown = group.members.has(after.memberId)
  if (replaced === undefined) {
    if (isKnown && isSameMetadata(before, after)) return []
    return [memberMetadataRecord(groupId, after)]
  }
  return [
    ...memberTombstones(groupId, replaced.memberId),
    memberMetadataRecord(groupId, after),
    targetRecord(groupId, after.memberId, group.target(replaced.memberId)),
    currentAssignmentRecord(groupId, after),
  ]
}

function membersAfter({ group, after, replaced }: MemberChange): Members {
  const members = new Map(group.members)
  if (replaced !== undefined) members.delete(replaced.memberId)
  return members.set(after.memberId, after)
}

/** Removes members. The target is computed anew when another member is next heard of. */
export function removeMembers(
  group: ConsumerGroup,
  memberIds: readonly string[],
  changedTopics: ReadonlySet<string> | undefined,
  environment: GroupEnvironment,
): CoordinatorRecord[] {
  const members = new Map(group.members)
  const records: CoordinatorRecord[] = []
  for (const memberId of memberIds) {
    members.delete(memberId)
    records.push(...memberTombstones(group.groupId, memberId))
  }
  const review = { group, members, isChange: true, changedTopics }
  records.push(...reviewTopics(review, environment).records)
  return records
}

/** In the order in which they may be replayed. */
function memberTombstones(groupId: string, memberId: string): CoordinatorRecord[] {
  const key = { groupId, memberId }
  return [
    ConsumerGroupCurrentMemberAssignmentRecord.of(key, null),
    ConsumerGroupTargetAssignmentMemberRecord.of(key, null),
    ConsumerGroupMemberMetadataRecord.of(key, null),
  ]
}

interface Review {
  readonly group: ConsumerGroup
  /** As they will be. */
  readonly members: Members
  /** Members or their subscriptions change, so that there is a new epoch in any case. */
  readonly isChange: boolean
  readonly changedTopics: ReadonlySet<string> | undefined
}

/** Looks at the topics that the members will subscribe to. If they differ, there is a new epoch. */
function reviewTopics(
  review: Review,
  environment: GroupEnvironment,
): { records: CoordinatorRecord[]; groupEpoch: number; regularExpressions: RegularExpressions } {
  const { group, members, isChange } = review
  const { groupId } = group
  const { records, regularExpressions, differ } = reviewRegularExpressions(review, environment)
  const hash = metadataHash(
    subscribedTopics(members.values(), regularExpressions),
    environment.topics,
  )
  if (!isChange && !differ && hash === group.metadataHash) {
    return { records, groupEpoch: group.groupEpoch, regularExpressions }
  }
  if (group.hasPartitionMetadataRecord) {
    records.push(ConsumerGroupPartitionMetadataRecord.of({ groupId }, null))
  }
  const groupEpoch = group.groupEpoch + 1
  const value = { epoch: groupEpoch, metadataHash: hash }
  records.push(ConsumerGroupMetadataRecord.of({ groupId }, value))
  return { records, groupEpoch, regularExpressions }
}

/** Resolves those that are new, all if topics have changed, and forgets those nobody uses. */
function reviewRegularExpressions(
  { group, members, changedTopics }: Review,
  environment: GroupEnvironment,
): { records: CoordinatorRecord[]; regularExpressions: RegularExpressions; differ: boolean } {
  const { groupId } = group
  const records: CoordinatorRecord[] = []
  const regularExpressions = new Map<string, ResolvedRegularExpression>()
  let differ = false
  for (const { subscribedTopicRegex: text } of members.values()) {
    if (text === null || text === '' || regularExpressions.has(text)) continue
    const known = group.regularExpressions.get(text)
    const resolved = resolve(text, known, changedTopics, environment)
    regularExpressions.set(text, resolved)
    if (resolved === known) continue
    differ = true
    const value = { topics: [...resolved.topics].sort(), version: 0, timestamp: environment.now }
    const key = { groupId, regularExpression: text }
    records.push(ConsumerGroupRegularExpressionRecord.of(key, value))
  }
  for (const regularExpression of group.regularExpressions.keys()) {
    if (regularExpressions.has(regularExpression)) continue
    const key = { groupId, regularExpression }
    records.push(ConsumerGroupRegularExpressionRecord.of(key, null))
  }
  return { records, regularExpressions, differ }
}

/** What the expression stands for now: `known` itself if that is the same. */
function resolve(
  text: string,
  known: ResolvedRegularExpression | undefined,
  changed: ReadonlySet<string> | undefined,
  { topics, now }: GroupEnvironment,
): ResolvedRegularExpression {
  if (known !== undefined && changed?.size === 0) return known
  try {
    const matching = matchingTopics(new RegularExpression(text), known, changed, topics)
    const isSame = known?.topics.size === matching.size && matching.isSubsetOf(known.topics)
    return isSame ? known : { topics: matching, timestamp: now }
  } catch (error) {
    // It was fine once. By now there are too many topics to match it, which must not stop the
    // group.
    if (known !== undefined && error instanceof KafkaError) return known
    throw error
  }
}

function matchingTopics(
  expression: RegularExpression,
  known: ResolvedRegularExpression | undefined,
  changed: ReadonlySet<string> | undefined,
  topics: TopicImage,
): Set<string> {
  if (known === undefined || changed === undefined) return expression.filter(topics.names())
  const existing = [...changed].filter((name) => topics.topicId(name) !== undefined)
  return known.topics.difference(changed).union(expression.filter(existing))
}

/** The one that most members vote for; the first of these in the order of the configuration. */
export function preferredAssignor(
  members: Iterable<ConsumerGroupMember>,
  assignors: readonly PartitionAssignor[],
): PartitionAssignor {
  const votes = new Map<string, number>()
  for (const { serverAssignor } of members) {
    if (serverAssignor === null) continue
    votes.set(serverAssignor, (votes.get(serverAssignor) ?? 0) + 1)
  }
  const countOf = ({ name }: PartitionAssignor) => votes.get(name) ?? 0
  return assignors.reduce((best, next) => (countOf(next) > countOf(best) ? next : best))
}
