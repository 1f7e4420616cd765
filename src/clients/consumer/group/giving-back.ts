/**
 * What comes before partitions are given back: nothing more of them is handed out, callbacks that
 * run on them end, and what the application is done with is committed if that goes by itself.
 *
 * This may take longer than a poll. It then goes on in the background, and the next poll sees how
 * far it has got; the listener is called only afterwards, by a poll.
 */
import type { CallLimits } from '../../cluster/call-limits.ts'
import { TimeoutError } from '../../errors.ts'
import { partitionName, type TopicPartition } from '../../topic-partition.ts'
import type { Commits } from './commits.ts'
import type { MembershipHost } from './group-membership.ts'

export class GivingBack {
  readonly #host: MembershipHost
  readonly #commits: Commits
  #underWay: { readonly what: string; readonly done: Promise<void>; isDone: boolean } | undefined

  constructor(host: MembershipHost, commits: Commits) {
    this.#host = host
    this.#commits = commits
  }

  /** Returns whether it is done within `limits`. Rejects when the call is aborted. */
  async give(partitions: readonly TopicPartition[], limits: CallLimits): Promise<boolean> {
    if (partitions.length === 0) return true
    const what = partitions.map(partitionName).join()
    if (this.#underWay?.what !== what) {
      const underWay = { what, done: this.#start(partitions), isDone: false }
      this.#underWay = underWay
      void underWay.done.then(() => {
        underWay.isDone = true
        this.#host.wake()
      })
    }
    const underWay = this.#underWay!
    try {
      if (!underWay.isDone) await limits.wait(underWay.done)
    } catch (error) {
      if (error instanceof TimeoutError) return false
      throw error
    }
    this.forget()
    return true
  }

  /** It makes no more sense: the partitions are gone already. */
  forget(): void {
    this.#underWay = undefined
  }

  /** Never rejects: the partitions go all the same. */
  async #start(partitions: readonly TopicPartition[]): Promise<void> {
    const { cluster, config, subscription } = this.#host
    subscription.markPendingRevocation(partitions)
    // No longer than the coordinator waits for this member.
    const limits = cluster.limits({ timeoutMs: config.get('max.poll.interval.ms') })
    await this.#host.beforeRevoke(partitions).catch((error) => {
      this.#host.environment.log.error('Partitions are given back with work under way', error)
    })
    await this.#commits.beforeRevoke(partitions, limits)
  }
}
