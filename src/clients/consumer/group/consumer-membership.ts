/**
 * Membership in a group of the new protocol (KIP-848): the coordinator assigns, and tells each
 * member in the answers to its heartbeats.
 *
 * What a member is to have reaches the application in `poll`: first what goes is committed and
 * given back, then what comes is taken, then the coordinator is told. Nothing that others are to
 * have is given to them before that.
 */
import type { KafkaError } from '../../../common/errors.ts'
import type { CallLimits } from '../../cluster/call-limits.ts'
import { isFatal } from '../../errors.ts'
import type { ConsumerGroup } from '../../producer/transactions.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import type { OffsetToCommit } from '../partition-state.ts'
import { AssignmentChanges, type ListenerFailure, throwFirst } from './assignment-changes.ts'
import { Commits } from './commits.ts'
import { consumerCommitPolicy } from './consumer-commit-policy.ts'
import { ConsumerHeartbeats } from './consumer-heartbeats.ts'
import { ConsumerMember, type IdAssignment } from './consumer-member.ts'
import { GivingBack } from './giving-back.ts'
import type { CommittedOffsets, GroupMembership, MembershipHost } from './group-membership.ts'
import { MembershipNews } from './membership-news.ts'
import { PollTimer } from './poll-timer.ts'
import { SubscribedTopics } from './subscribed-topics.ts'
import { TopicNames } from './topic-names.ts'
import { TopicWatch } from './topic-watch.ts'

const MEMBER_ID_BYTES = 16

export class ConsumerMembership implements GroupMembership {
  readonly #host: MembershipHost
  readonly #news: MembershipNews
  readonly #member: ConsumerMember
  readonly #commits: Commits
  readonly #changes: AssignmentChanges
  readonly #givingBack: GivingBack
  readonly #watch: TopicWatch
  readonly #topics: SubscribedTopics
  readonly #names: TopicNames
  readonly #heartbeats: ConsumerHeartbeats
  readonly #pollTimer: PollTimer
  /** What the heartbeats were last told to tell. */
  #subscribed: readonly unknown[] = []
  #failure: KafkaError | undefined

  constructor(consumer: MembershipHost, groupId: string) {
    this.#news = new MembershipNews(consumer)
    const { host } = this.#news
    const { config, environment, subscription } = host
    this.#host = host
    const memberId = environment.random.bytes(MEMBER_ID_BYTES).toString('base64url')
    this.#member = new ConsumerMember(groupId, config.get('group.instance.id'), memberId)
    const policy = consumerCommitPolicy(this.#member, () => subscription.isGroupManaged)
    this.#commits = new Commits(host, groupId, policy)
    this.#changes = new AssignmentChanges(host)
    this.#givingBack = new GivingBack(host, this.#commits)
    this.#watch = new TopicWatch(host)
    this.#topics = new SubscribedTopics(host, this.#watch)
    this.#names = new TopicNames(host)
    const onFailed = (error: KafkaError) => this.#fail(error)
    this.#heartbeats = new ConsumerHeartbeats(host, this.#member, onFailed)
    const intervalMs = config.get('max.poll.interval.ms')
    this.#pollTimer = new PollTimer(environment.clock, intervalMs, () => this.#pollExpired())
  }

  get groupMetadata(): ConsumerGroup {
    return this.#member.metadata
  }

  async poll(limits: CallLimits): Promise<void> {
    this.#news.seen()
    this.#throwFailure()
    if (this.#host.subscription.isGroupManaged) {
      this.#pollTimer.touch()
      await this.#takeTurn(limits)
    }
    this.#commits.poll()
  }

  nextPollInMs(): number {
    if (this.#news.isThere) return 0
    return Math.min(this.#commits.dueInMs, this.#pollTimer.touchWithinMs)
  }

  subscriptionChanged(): void {
    this.#host.wake()
  }

  async commit(offsets: readonly OffsetToCommit[], limits: CallLimits): Promise<void> {
    await this.#commits.withRetries(offsets, limits)
  }

  async commitOnce(offsets: readonly OffsetToCommit[], limits: CallLimits): Promise<void> {
    await this.#commits.once(offsets, limits)
  }

  async committed(
    partitions: readonly TopicPartition[],
    limits: CallLimits,
  ): Promise<CommittedOffsets> {
    return await this.#commits.committed(partitions, limits)
  }

  enforceRebalance(): void {
    const text = 'enforceRebalance does nothing under group.protocol=consumer: the broker assigns'
    this.#host.environment.log.warn(text)
  }

  async leave(limits: CallLimits): Promise<void> {
    const { subscription } = this.#host
    const member = this.#member
    this.#pollTimer.stop()
    this.#watch.stop()
    const assigned = subscription.assigned()
    let failure: ListenerFailure | undefined
    if (!subscription.isGroupManaged) {
      await this.#commits.beforeRevoke(assigned, limits)
    } else if (member.state === 'joined') {
      await this.#givingBack.give(assigned, limits)
      failure = await this.#changes.revoke(assigned)
    } else {
      failure = await this.#changes.lose(assigned)
    }
    await this.#commits.settled(limits)
    await this.#leaveGroup(limits)
    throwFirst(failure)
  }

  async #takeTurn(limits: CallLimits): Promise<void> {
    const { subscription } = this.#host
    const member = this.#member
    if (member.state === 'fenced' || (member.state === 'out' && subscription.states.length > 0)) {
      this.#givingBack.forget()
      const failure = await this.#changes.lose(subscription.assigned())
      if (member.state === 'fenced') member.leave()
      throwFirst(failure)
    }
    // The listener may have unsubscribed.
    if (!subscription.isGroupManaged || !this.#topics.look()) return
    const { topics, re2 } = subscription
    const isNew = topics !== this.#subscribed[0] || re2 !== this.#subscribed[1]
    this.#subscribed = [topics, re2]
    if (member.state === 'out') {
      member.join()
      this.#heartbeats.hurry()
    } else if (isNew) this.#heartbeats.hurry()
    if (member.state === 'joined') await this.#reconcile(limits)
  }

  /** Takes over what the coordinator has assigned, as far as the names of topics are known. */
  async #reconcile(limits: CallLimits): Promise<void> {
    const member = this.#member
    const { target } = member
    if (member.isReconciled) return
    const known = this.#names.resolve(target)
    const { revoked, added } = this.#changes.compare(known.partitions)
    if (revoked.length === 0 && added.length === 0 && isSame(known.assignment, member.current)) {
      // Nothing that the coordinator does not know already.
      if (known.isComplete) member.current = target
      return
    }
    if (!(await this.#givingBack.give(revoked, limits))) return
    if (!this.#isStill(target)) return
    const revocation = await this.#changes.revoke(revoked)
    if (!this.#isStill(target)) return throwFirst(revocation)
    this.#commits.restartInterval()
    const assignment = await this.#changes.assign(known.partitions, added)
    if (this.#isStill(target)) {
      member.current = known.isComplete ? target : known.assignment
      this.#heartbeats.hurry()
    }
    throwFirst(revocation, assignment)
  }

  /** Whether the member is still in the group, and to have what it was when this was begun. */
  #isStill(target: IdAssignment): boolean {
    return this.#member.state === 'joined' && this.#member.target === target
  }

  #pollExpired(): void {
    const { cluster, config, environment } = this.#host
    const { state } = this.#member
    if (state === 'out' || state === 'fenced') return
    environment.log.warn(
      `The time between two polls was longer than max.poll.interval.ms ` +
        `(${config.get('max.poll.interval.ms')}), so the consumer leaves its group. Either make ` +
        'that longer or max.poll.records smaller.',
    )
    void this.#leaveGroup(cluster.limits())
  }

  /** Out of the group, as far as this member is concerned at once. Never rejects. */
  async #leaveGroup(limits: CallLimits): Promise<void> {
    const member = this.#member
    const wasMember = member.state === 'joined' || member.state === 'joining'
    member.leave()
    this.#givingBack.forget()
    this.#names.forget()
    this.#subscribed = []
    this.#heartbeats.stop()
    if (wasMember) await this.#heartbeats.leave(member.leaveEpoch, limits)
  }

  #fail(error: KafkaError): void {
    this.#host.environment.log.error('The membership in the group failed', error)
    this.#failure = error
    this.#member.fence()
    this.#host.wake()
  }

  /** Throws what went wrong in the background: once, unless the consumer can never go on. */
  #throwFailure(): void {
    const failure = this.#failure
    if (failure === undefined) return
    if (!isFatal(failure)) this.#failure = undefined
    throw failure
  }
}

function isSame(a: IdAssignment, b: IdAssignment): boolean {
  const text = (of: IdAssignment) =>
    JSON.stringify([...of].map(([id, numbers]) => [id, numbers.toSorted((x, y) => x - y)]).sort())
  return text(a) === text(b)
}
