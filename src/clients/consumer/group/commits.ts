/**
 * Commits of a consumer: those it is asked for and those it makes by itself, with the retries that
 * each kind deserves. Who commits, and what a refusal means, its membership knows.
 */
import { ErrorCode, KafkaError } from '../../../common/errors.ts'
import type { CallLimits } from '../../cluster/call-limits.ts'
import { partitionName, type TopicPartition } from '../../topic-partition.ts'
import type { OffsetToCommit } from '../partition-state.ts'
import { CommitFailedError, RetriableCommitFailedError } from './errors.ts'
import type { CommittedOffsets, MembershipHost } from './group-membership.ts'
import { type Committer, GroupOffsets } from './group-offsets.ts'

/** The membership, as far as commits depend on it. */
export interface CommitPolicy {
  /** Who commits at present. Throws where the consumer is in no state to. */
  committer(): Committer

  /** Who asks for committed offsets. */
  reader(): Committer

  /** Takes note of a refusal, and says what to throw. */
  refused(error: KafkaError, committer: Committer): KafkaError
}

const TOPIC_GONE: readonly number[] = [
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
]

export class Commits {
  readonly #host: MembershipHost
  readonly #policy: CommitPolicy
  readonly #offsets: GroupOffsets
  readonly #isAutomatic: boolean
  readonly #intervalMs: number
  /** On the monotonic clock. */
  #nextAtMs = 0
  #isCommitting = false
  readonly #underWay = new Set<Promise<void>>()

  constructor(host: MembershipHost, groupId: string, policy: CommitPolicy) {
    this.#host = host
    this.#policy = policy
    this.#offsets = new GroupOffsets(host.cluster, groupId)
    this.#isAutomatic = host.config.get('enable.auto.commit')
    this.#intervalMs = host.config.get('auto.commit.interval.ms')
    this.restartInterval()
  }

  /** Commits in one attempt. See `GroupMembership.commitOnce`. */
  async once(offsets: readonly OffsetToCommit[], limits: CallLimits): Promise<void> {
    try {
      await this.#track(this.#attempt(offsets, limits))
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      if (error.retriable) throw new RetriableCommitFailedError(error)
      if (error.code !== ErrorCode.STALE_MEMBER_EPOCH) throw error
      throw new CommitFailedError('STALE_MEMBER_EPOCH', error.message, { cause: error })
    }
  }

  /** Commits. Tries again what may pass, and with a newer epoch what came with an old one. */
  async withRetries(offsets: readonly OffsetToCommit[], limits: CallLimits): Promise<void> {
    await this.#track(this.#retry(limits, () => this.#attempt(offsets, limits)))
  }

  async committed(
    partitions: readonly TopicPartition[],
    limits: CallLimits,
  ): Promise<CommittedOffsets> {
    if (partitions.length === 0) return new Map()
    return await this.#retry(limits, () =>
      this.#offsets.fetch(partitions, this.#policy.reader(), limits),
    )
  }

  /** Commits by itself if it is time to. Does not wait, and what goes wrong is only logged. */
  poll(): void {
    const { clock } = this.#host.environment
    if (!this.#isAutomatic || this.#isCommitting || clock.monotonic() < this.#nextAtMs) return
    this.restartInterval()
    const offsets = this.#host.subscription.consumedOffsets()
    if (offsets.length === 0) return
    this.#isCommitting = true
    const done = this.once(offsets, this.#host.cluster.limits())
    done
      .catch((error) => this.#autoCommitFailed(error))
      .finally(() => {
        this.#isCommitting = false
        this.#host.wake()
      })
  }

  /** Milliseconds until `poll` has something to do; `wake` is called when that changes. */
  get dueInMs(): number {
    if (!this.#isAutomatic || this.#isCommitting) return Number.POSITIVE_INFINITY
    return Math.max(0, this.#nextAtMs - this.#host.environment.clock.monotonic())
  }

  restartInterval(): void {
    this.#nextAtMs = this.#host.environment.clock.monotonic() + this.#intervalMs
  }

  /**
   * Commits what the application is done with in partitions that are about to go, if commits go by
   * themselves. Never rejects: they go all the same.
   */
  async beforeRevoke(partitions: Iterable<TopicPartition>, limits: CallLimits): Promise<void> {
    const offsets = this.#host.subscription.consumedOffsets(partitions)
    if (!this.#isAutomatic || offsets.length === 0) return
    try {
      await this.#retry(limits, async () => {
        try {
          await this.#track(this.#attempt(offsets, limits))
        } catch (error) {
          // A topic that was deleted would otherwise hold up the whole group.
          const isGone = error instanceof KafkaError && TOPIC_GONE.includes(error.code)
          throw isGone ? new CommitFailedError(error.errorName, error.message) : error
        }
      })
    } catch (error) {
      this.#autoCommitFailed(error)
    }
  }

  /** Waits for commits that are under way, whatever becomes of them. */
  async settled(limits: CallLimits): Promise<void> {
    await limits.wait(Promise.allSettled(this.#underWay)).catch(() => {})
  }

  async #attempt(offsets: readonly OffsetToCommit[], limits: CallLimits): Promise<void> {
    if (offsets.length === 0) return
    for (const at of offsets) {
      if (at.offset < 0) throw new RangeError(`Invalid offset ${at.offset} of ${partitionName(at)}`)
    }
    const committer = this.#policy.committer()
    const { observer } = this.#host
    const startMs = observer.nowMs
    try {
      await this.#offsets.commit(offsets, committer, limits)
    } catch (error) {
      if (error instanceof KafkaError) observer.committed(offsets.length, startMs, error)
      throw error instanceof KafkaError ? this.#policy.refused(error, committer) : error
    }
    observer.committed(offsets.length, startMs, undefined)
    this.#host.onCommit(offsets)
  }

  async #retry<Result>(limits: CallLimits, attempt: () => Promise<Result>): Promise<Result> {
    const { cluster } = this.#host
    for (let failures = 0; ; failures++) {
      try {
        return await cluster.retry(limits, attempt)
      } catch (error) {
        // The heartbeats bring a newer epoch.
        const isStale = error instanceof KafkaError && error.code === ErrorCode.STALE_MEMBER_EPOCH
        if (!isStale || error instanceof CommitFailedError) throw error
        limits.lastError = error
        await limits.sleep(cluster.backoff.delayMs(failures))
      }
    }
  }

  async #track(commit: Promise<void>): Promise<void> {
    this.#underWay.add(commit)
    try {
      await commit
    } finally {
      this.#underWay.delete(commit)
    }
  }

  #autoCommitFailed(error: unknown): void {
    const { environment, config } = this.#host
    if (error instanceof RetriableCommitFailedError) {
      this.#nextAtMs = environment.clock.monotonic() + config.get('retry.backoff.ms')
    }
    environment.log.warn('Automatic commit of offsets failed', error)
  }
}
