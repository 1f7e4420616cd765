/**
 * A classic group (KIP-62, KIP-394, KIP-345): its members, and where it is in a rebalance.
 *
 * ```
 * Empty -> PreparingRebalance -> CompletingRebalance -> Stable
 *   ^        members join          members sync          |
 *   |            ^----------------------------------------  somebody comes, goes or changes
 *   '--- nobody is left
 * ```
 * It only keeps the state consistent; what happens when is for ClassicGroups and ClassicRebalance.
 */
import { KafkaError } from '../../../common/errors.ts'
import { decodeConsumerSubscription } from '../../../protocol/consumer-protocol.ts'
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import type { Group, OffsetCommitter } from '../group.ts'
import { GroupMetadataRecord } from '../group-records.ts'
import type { ClassicMember, JoinResponse, MemberProtocol } from './classic-member.ts'

export type ClassicGroupState =
  | 'Empty'
  | 'PreparingRebalance'
  | 'CompletingRebalance'
  | 'Stable'
  | 'Dead'

/** The protocol type of consumers, whose subscriptions the broker can read. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

export class ClassicGroup implements Group {
  readonly groupId: string
  readonly type = 'classic'
  #state: ClassicGroupState = 'Empty'
  #stateTimestamp: number
  protocolType = ''
  protocolName: string | null = null
  leaderId: string | null = null
  generationId = 0
  /** Undefined where it is not known: the members are no consumers, or said it in another way. */
  subscribedTopics: ReadonlySet<string> | undefined
  /** The rebalance under way is the first after the group was empty: it waits for more members. */
  isInitialRebalance = false
  /** Somebody has joined since the delay of the first rebalance began. */
  newMemberAdded = false
  readonly members = new Map<string, ClassicMember>()
  /** Member ids by instance id. */
  readonly #staticMembers = new Map<string, string>()
  /** Ids that were given out and whose owners have not come back with them yet. */
  readonly pendingJoins = new Set<string>()
  /** Members of this generation that have not asked for their assignment. */
  readonly pendingSyncs = new Set<string>()

  constructor(groupId: string, now: number) {
    this.groupId = groupId
    this.#stateTimestamp = now
  }

  get state(): ClassicGroupState {
    return this.#state
  }

  get stateName(): string {
    return this.#state
  }

  /** When the state last changed, in milliseconds since the epoch. */
  get stateTimestamp(): number {
    return this.#stateTimestamp
  }

  get isEmpty(): boolean {
    return this.#state === 'Empty'
  }

  transitionTo(state: ClassicGroupState, now: number): void {
    this.#state = state
    this.#stateTimestamp = now
  }

  isIn(...states: ClassicGroupState[]): boolean {
    return states.includes(this.#state)
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId
  }

  /** The member id under which an instance is known. */
  staticMemberId(groupInstanceId: string | null): string | undefined {
    return groupInstanceId === null ? undefined : this.#staticMembers.get(groupInstanceId)
  }

  add(member: ClassicMember, protocolType: string): void {
    if (this.members.size === 0) this.protocolType = protocolType
    this.leaderId ??= member.memberId
    this.members.set(member.memberId, member)
    this.pendingJoins.delete(member.memberId)
    if (member.groupInstanceId !== null) {
      this.#staticMembers.set(member.groupInstanceId, member.memberId)
    }
  }

  remove(memberId: string): void {
    const member = this.members.get(memberId)
    if (member === undefined) return
    this.members.delete(memberId)
    this.pendingSyncs.delete(memberId)
    const { groupInstanceId } = member
    if (groupInstanceId !== null && this.#staticMembers.get(groupInstanceId) === memberId) {
      this.#staticMembers.delete(groupInstanceId)
    }
    if (this.isLeader(memberId)) {
      const joined = [...this.members.values()].find((other) => other.awaitingJoin !== undefined)
      this.leaderId = joined?.memberId ?? this.members.keys().next().value ?? null
    }
  }

  /** Gives a static member's place to its successor, `member`; in its order among the members. */
  replace(memberId: string, member: ClassicMember): void {
    const entries = [...this.members]
    this.members.clear()
    for (const [id, other] of entries) {
      if (id === memberId) this.members.set(member.memberId, member)
      else this.members.set(id, other)
    }
    this.#staticMembers.set(member.groupInstanceId!, member.memberId)
    if (this.pendingSyncs.delete(memberId)) this.pendingSyncs.add(member.memberId)
    if (this.isLeader(memberId)) this.leaderId = member.memberId
  }

  get waitingForJoin(): number {
    let count = 0
    for (const { awaitingJoin } of this.members.values()) if (awaitingJoin !== undefined) count += 1
    return count
  }

  get haveAllJoined(): boolean {
    return this.pendingJoins.size === 0 && this.waitingForJoin === this.members.size
  }

  /** The longest time that a member allows for a rebalance, in milliseconds. */
  get rebalanceTimeoutMs(): number {
    let timeout = 0
    for (const member of this.members.values()) {
      timeout = Math.max(timeout, member.rebalanceTimeoutMs)
    }
    return timeout
  }

  /** Makes sure that the leader is one that has joined. False if nobody has. */
  electJoinedLeader(): boolean {
    const leader = this.leaderId === null ? undefined : this.members.get(this.leaderId)
    if (leader?.awaitingJoin !== undefined) return true
    const joined = [...this.members.values()].find((member) => member.awaitingJoin !== undefined)
    if (joined === undefined) return false
    this.leaderId = joined.memberId
    return true
  }

  /** Whether one with these protocols may join: all members must have one in common. */
  supportsProtocols(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (this.members.size === 0) return protocolType !== '' && protocols.length > 0
    if (protocolType !== this.protocolType) return false
    const common = this.#commonProtocols()
    return protocols.some(({ name }) => common.has(name))
  }

  /** The protocol that most members like best among those that all know. */
  selectProtocol(): string {
    const candidates = this.#commonProtocols()
    const votes = new Map<string, number>()
    for (const member of this.members.values()) {
      const favourite = member.vote(candidates)
      votes.set(favourite, (votes.get(favourite) ?? 0) + 1)
    }
    let winner = ''
    for (const [name, count] of votes) if (count > (votes.get(winner) ?? 0)) winner = name
    return winner
  }

  #commonProtocols(): Set<string> {
    const [first, ...others] = this.members.values()
    const common = new Set(first?.protocols.map(({ name }) => name))
    for (const { protocols } of others) {
      for (const name of common) {
        if (!protocols.some((protocol) => protocol.name === name)) common.delete(name)
      }
    }
    return common
  }

  /** Begins the next generation with those who are members now. */
  beginGeneration(now: number): void {
    this.generationId += 1
    this.pendingSyncs.clear()
    this.protocolName = this.members.size === 0 ? null : this.selectProtocol()
    this.updateSubscribedTopics()
    this.transitionTo(this.members.size === 0 ? 'Empty' : 'CompletingRebalance', now)
  }

  updateSubscribedTopics(): void {
    this.subscribedTopics = this.#readSubscribedTopics()
  }

  #readSubscribedTopics(): ReadonlySet<string> | undefined {
    if (this.protocolType !== CONSUMER_PROTOCOL_TYPE) return undefined
    const topics = new Set<string>()
    if (this.members.size === 0) return topics
    if (this.protocolName === null) return undefined
    try {
      for (const member of this.members.values()) {
        const subscription = decodeConsumerSubscription(member.metadata(this.protocolName))
        for (const topic of subscription.topics) topics.add(topic)
      }
    } catch (error) {
      if (error instanceof KafkaError) return undefined
      throw error
    }
    return topics
  }

  /** Throws UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID for an instance that another member is now. */
  validateMember(memberId: string, groupInstanceId: string | null): ClassicMember {
    if (groupInstanceId !== null) {
      const known = this.staticMemberId(groupInstanceId)
      if (known === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID')
      if (known !== memberId) throw new KafkaError('FENCED_INSTANCE_ID')
    }
    const member = this.members.get(memberId)
    if (member === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID')
    return member
  }

  validateOffsetCommit(committer: OffsetCommitter): void {
    const { memberId, groupInstanceId, generationIdOrMemberEpoch, isTransactional } = committer
    if (this.isIn('Dead')) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
    if (generationIdOrMemberEpoch < 0 && this.isIn('Empty')) return
    if (generationIdOrMemberEpoch >= 0 || memberId !== '' || groupInstanceId !== null) {
      this.validateMember(memberId, groupInstanceId)
      if (generationIdOrMemberEpoch !== this.generationId) {
        throw new KafkaError('ILLEGAL_GENERATION')
      }
    } else if (!isTransactional && !this.isIn('Empty')) {
      // From outside nobody may commit under the feet of the members. Transactions of clients from
      // before KIP-447 do not say who they are, and are fenced by their producer's epoch.
      throw new KafkaError('UNKNOWN_MEMBER_ID')
    }
    // A member that has joined knows its generation, but not its partitions yet.
    if (!isTransactional && this.isIn('CompletingRebalance')) {
      throw new KafkaError('REBALANCE_IN_PROGRESS')
    }
  }

  validateOffsetFetch(): void {
    if (this.isIn('Dead')) throw new KafkaError('GROUP_ID_NOT_FOUND')
  }

  validateDelete(): void {
    if (this.isIn('Dead')) throw new KafkaError('GROUP_ID_NOT_FOUND')
    if (!this.isIn('Empty')) throw new KafkaError('NON_EMPTY_GROUP')
  }

  validateOffsetDelete(): void {
    if (this.isIn('Dead')) throw new KafkaError('GROUP_ID_NOT_FOUND')
    const isKnown = this.isIn('Empty') || this.protocolType === CONSUMER_PROTOCOL_TYPE
    if (!isKnown) throw new KafkaError('NON_EMPTY_GROUP')
  }

  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics?.has(topic) === true
  }

  tombstones(): CoordinatorRecord[] {
    return [GroupMetadataRecord.of({ group: this.groupId }, null)]
  }

  offsetExpirationBase(commitTimestamp: number): number | undefined {
    if (this.protocolType === '') return commitTimestamp
    // The later of the two: what was committed for an idle group must not be gone at once.
    if (this.isIn('Empty')) return Math.max(this.#stateTimestamp, commitTimestamp)
    // Topics that the members do not read any more; the others are not asked about.
    const isStableConsumer = this.subscribedTopics !== undefined && this.isIn('Stable')
    return isStableConsumer ? commitTimestamp : undefined
  }

  /** What is written of the group, with the members' assignments as they are. */
  toRecord(assignments?: ReadonlyMap<string, Buffer>): CoordinatorRecord {
    const { groupId, generationId, protocolType, protocolName, leaderId } = this
    const members = [...this.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: protocolName === null ? Buffer.alloc(0) : member.metadata(protocolName),
      assignment: assignments?.get(member.memberId) ?? member.assignment,
    }))
    return GroupMetadataRecord.of(
      { group: groupId },
      {
        ...{ protocolType, members },
        generation: generationId,
        protocol: protocolName,
        leader: leaderId,
        currentStateTimestamp: this.#stateTimestamp,
      },
    )
  }

  /** The answer to a member that has joined this generation. */
  joinResponse(memberId: string): JoinResponse {
    const { generationId, protocolType, protocolName, leaderId } = this
    return {
      ...{ errorCode: 0, generationId, protocolType, protocolName, memberId },
      leader: leaderId ?? '',
      members: this.isLeader(memberId) ? this.memberMetadata() : [],
    }
  }

  /** What the leader needs in order to assign. */
  memberMetadata(): JoinResponse['members'] {
    return [...this.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: member.metadata(this.protocolName ?? ''),
    }))
  }
}
