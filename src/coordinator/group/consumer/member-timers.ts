/**
 * How long members of consumer groups may take: a session without a heartbeat, a rebalance in which
 * to give partitions back, and, for members of the classic protocol, to join and to sync.
 */
import type { CoordinatorEffects, ShardTimers } from '../../runtime/coordinator-shard.ts'

export type MemberTimer = 'session' | 'rebalance' | 'join' | 'sync'

const KINDS: readonly MemberTimer[] = ['session', 'rebalance', 'join', 'sync']

export class MemberTimers {
  readonly #timers: ShardTimers
  /** Names of the timers that run. */
  readonly #running = new Set<string>()

  constructor(timers: ShardTimers) {
    this.#timers = timers
  }

  /** Calls `onEnd` after `delayMs`, unless it is set anew or cancelled before. */
  set(
    kind: MemberTimer,
    groupId: string,
    memberId: string,
    delayMs: number,
    onEnd: () => CoordinatorEffects | undefined,
  ): void {
    const name = timerName(kind, groupId, memberId)
    this.#running.add(name)
    this.#timers.schedule(name, delayMs, () => {
      this.#running.delete(name)
      return onEnd()
    })
  }

  isSet(kind: MemberTimer, groupId: string, memberId: string): boolean {
    return this.#running.has(timerName(kind, groupId, memberId))
  }

  cancel(kind: MemberTimer, groupId: string, memberId: string): void {
    const name = timerName(kind, groupId, memberId)
    if (this.#running.delete(name)) this.#timers.cancel(name)
  }

  cancelAll(groupId: string, memberId: string): void {
    for (const kind of KINDS) this.cancel(kind, groupId, memberId)
  }
}

function timerName(kind: MemberTimer, groupId: string, memberId: string): string {
  // With the length of the first id, so that no two pairs of ids run together.
  return `consumer ${kind} ${groupId.length} ${groupId} ${memberId}`
}
