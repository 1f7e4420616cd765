/**
 * The rebalances of classic groups: when one begins, whom it waits for, and when it is over; and
 * the sessions of the members, whose end begins one.
 *
 * A rebalance waits until all members have joined again, at most the longest rebalance timeout
 * among them; whoever has not joined by then is out (static members stay). The first rebalance of a
 * group waits `group.initial.rebalance.delay.ms` for more members, and as long again for each that
 * comes meanwhile, so that a fleet that starts together is assigned once. Then the members have as
 * long to ask for their assignment.
 *
 * Methods return the records to append. Only an empty group is written here; one with members is
 * written when its leader hands in the assignment.
 */
import { ErrorCode } from '../../../common/errors.ts'
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import type { CoordinatorEffects, ShardContext } from '../../runtime/coordinator-shard.ts'
import type { GroupCoordinatorConfig } from '../group-config.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ClassicMember } from './classic-member.ts'

type Records = CoordinatorRecord[]

/** A member whose first JoinGroup waits cannot send heartbeats; this is how long it may take. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000

export class ClassicRebalance {
  readonly #context: ShardContext
  readonly #config: GroupCoordinatorConfig

  constructor(context: ShardContext, config: GroupCoordinatorConfig) {
    this.#context = context
    this.#config = config
  }

  /** Begins a rebalance, or, where one is under way, looks whether all have joined by now. */
  prepareOrComplete(group: ClassicGroup): Records {
    if (group.isIn('Stable', 'CompletingRebalance', 'Empty')) return this.prepare(group)
    return this.completeIfAllJoined(group)
  }

  prepare(group: ClassicGroup): Records {
    if (group.isIn('CompletingRebalance')) {
      this.resetAssignments(group, ErrorCode.REBALANCE_IN_PROGRESS)
    }
    this.#context.timers.cancel(syncTimer(group))
    group.isInitialRebalance = group.isIn('Empty')
    group.transitionTo('PreparingRebalance', this.#context.now())
    if (group.isInitialRebalance) {
      const delayMs = this.#config.initialRebalanceDelayMs
      this.#waitForMore(group, delayMs, Math.max(group.rebalanceTimeoutMs - delayMs, 0))
      return []
    }
    if (group.haveAllJoined) return this.#complete(group)
    this.#scheduleJoinEnd(group)
    return []
  }

  completeIfAllJoined(group: ClassicGroup): Records {
    const mayComplete = group.isIn('PreparingRebalance') && !group.isInitialRebalance
    return mayComplete && group.haveAllJoined ? this.#complete(group) : []
  }

  /** Gives a member a session anew, because it has been heard of. */
  renewSession(group: ClassicGroup, member: ClassicMember): void {
    const timeoutMs = member.isNew ? NEW_MEMBER_JOIN_TIMEOUT_MS : member.sessionTimeoutMs
    this.#context.timers.schedule(sessionTimer(group, member.memberId), timeoutMs, () =>
      this.#sessionEnded(group, member),
    )
  }

  /** An id was given out; whoever has it may take `timeoutMs` to join under it. */
  awaitJoin(group: ClassicGroup, memberId: string, timeoutMs: number): void {
    group.pendingJoins.add(memberId)
    this.#context.timers.schedule(sessionTimer(group, memberId), timeoutMs, () => {
      if (!group.pendingJoins.delete(memberId)) return undefined
      return applied(this.completeIfAllJoined(group))
    })
  }

  endSession(group: ClassicGroup, memberId: string): void {
    this.#context.timers.cancel(sessionTimer(group, memberId))
  }

  /** Takes a member out: it left, its session is over, or it did not follow a rebalance. */
  removeMember(group: ClassicGroup, member: ClassicMember): Records {
    this.#drop(group, member)
    return this.prepareOrComplete(group)
  }

  /** A member has asked for its assignment. */
  noteSync(group: ClassicGroup, memberId: string): void {
    group.pendingSyncs.delete(memberId)
    if (group.pendingSyncs.size === 0) this.#context.timers.cancel(syncTimer(group))
  }

  /** The generation's assignments are settled: hands them out. */
  propagateAssignments(group: ClassicGroup): void {
    const { protocolType, protocolName } = group
    for (const member of group.members.values()) {
      const { awaitingSync, assignment } = member
      if (awaitingSync === undefined) continue
      member.awaitingSync = undefined
      this.renewSession(group, member)
      awaitingSync.complete({ errorCode: 0, protocolType, protocolName, assignment })
    }
  }

  /** The assignments come to nothing: whoever waits for its own is told so. */
  resetAssignments(group: ClassicGroup, errorCode: number): void {
    for (const member of group.members.values()) {
      const { awaitingSync } = member
      member.assignment = Buffer.alloc(0)
      member.awaitingSync = undefined
      if (awaitingSync === undefined) continue
      this.renewSession(group, member)
      awaitingSync.complete({ errorCode, assignment: member.assignment })
    }
  }

  /** Ends all that waits, and the timers: the group goes away, or another kind takes its place. */
  dissolve(group: ClassicGroup, errorCode: number): void {
    const { timers } = this.#context
    group.transitionTo('Dead', this.#context.now())
    timers.cancel(joinTimer(group))
    timers.cancel(syncTimer(group))
    for (const memberId of group.pendingJoins) timers.cancel(sessionTimer(group, memberId))
    for (const member of group.members.values()) this.dismiss(group, member, errorCode)
  }

  /** Ends what a member waits for, and its session. */
  dismiss(group: ClassicGroup, member: ClassicMember, errorCode: number): void {
    this.endSession(group, member.memberId)
    const { awaitingJoin, awaitingSync, memberId } = member
    member.awaitingJoin = undefined
    member.awaitingSync = undefined
    const assignment = Buffer.alloc(0)
    awaitingJoin?.complete({ errorCode, memberId, protocolName: null, leader: '', members: [] })
    awaitingSync?.complete({ errorCode, assignment })
  }

  #drop(group: ClassicGroup, member: ClassicMember): void {
    this.dismiss(group, member, ErrorCode.UNKNOWN_MEMBER_ID)
    group.remove(member.memberId)
  }

  #sessionEnded(group: ClassicGroup, member: ClassicMember): CoordinatorEffects | undefined {
    const isGone = group.members.get(member.memberId) !== member
    if (isGone || group.isIn('Dead') || member.isWaiting) return undefined
    return applied(this.removeMember(group, member))
  }

  /** Completes a first rebalance once nobody has come for a whole delay. */
  #waitForMore(group: ClassicGroup, delayMs: number, remainingMs: number): void {
    this.#context.timers.schedule(joinTimer(group), delayMs, () => {
      if (group.newMemberAdded && remainingMs > 0) {
        group.newMemberAdded = false
        const nextMs = Math.min(this.#config.initialRebalanceDelayMs, remainingMs)
        this.#waitForMore(group, nextMs, Math.max(remainingMs - nextMs, 0))
        return undefined
      }
      return applied(this.#complete(group))
    })
  }

  #scheduleJoinEnd(group: ClassicGroup): void {
    this.#context.timers.schedule(joinTimer(group), group.rebalanceTimeoutMs, () =>
      applied(this.#complete(group)),
    )
  }

  #complete(group: ClassicGroup): Records {
    this.#context.timers.cancel(joinTimer(group))
    if (!group.isIn('PreparingRebalance')) return []
    for (const member of [...group.members.values()]) {
      if (member.awaitingJoin === undefined && member.groupInstanceId === null) {
        this.#drop(group, member)
      }
    }
    group.isInitialRebalance = false
    group.newMemberAdded = false
    if (group.members.size > 0 && !group.electJoinedLeader()) {
      // Only static members, and none of them is here: they keep their places for another while.
      this.#scheduleJoinEnd(group)
      return []
    }
    group.beginGeneration(this.#context.now())
    if (group.isIn('Empty')) return [group.toRecord()]
    this.#answerJoins(group)
    return []
  }

  #answerJoins(group: ClassicGroup): void {
    for (const member of group.members.values()) {
      const { awaitingJoin } = member
      member.awaitingJoin = undefined
      member.isNew = false
      this.renewSession(group, member)
      group.pendingSyncs.add(member.memberId)
      awaitingJoin?.complete(group.joinResponse(member.memberId))
    }
    this.#context.timers.schedule(syncTimer(group), group.rebalanceTimeoutMs, () =>
      this.#syncEnded(group),
    )
  }

  /** Who has not asked for its assignment by now does not follow. */
  #syncEnded(group: ClassicGroup): CoordinatorEffects | undefined {
    if (!group.isIn('CompletingRebalance', 'Stable') || group.pendingSyncs.size === 0) {
      return undefined
    }
    for (const memberId of [...group.pendingSyncs]) {
      const member = group.members.get(memberId)
      if (member !== undefined) this.#drop(group, member)
    }
    group.pendingSyncs.clear()
    return applied(this.prepare(group))
  }
}

/** The result of an operation that has changed the group already. */
function applied(records: Records): CoordinatorEffects {
  return { records, isApplied: true }
}

function joinTimer({ groupId }: ClassicGroup): string {
  return `join ${groupId}`
}

function syncTimer({ groupId }: ClassicGroup): string {
  return `sync ${groupId}`
}

function sessionTimer({ groupId }: ClassicGroup, memberId: string): string {
  return `session ${memberId} of ${groupId}`
}
