/**
 * Who leads the partitions of a consumer, without waiting: where it is not known, it is found out
 * in the background, over and over with a back-off, and `onFound` says when to look again.
 */
import type { Timer } from '../../common/clock.ts'
import { KafkaError } from '../../common/errors.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { ClosedError, TimeoutError } from '../errors.ts'
import type { TopicPartition } from '../topic-partition.ts'

export interface Leader {
  readonly leaderId: number
  /** -1 where brokers do not say. */
  readonly leaderEpoch: number
  readonly topicId: string
}

export class PartitionLeaders {
  readonly #cluster: ClusterClient
  readonly #onFound: () => void
  /** Topics of which something is missing or has proved wrong. */
  #wanted = new Set<string>()
  #isAsking = false
  #timer: Timer | undefined
  #failures = 0
  /** What cannot be mended by asking again, as a topic that one may not see. */
  #refusals = new Map<string, KafkaError>()

  constructor(cluster: ClusterClient, onFound: () => void) {
    this.#cluster = cluster
    this.#onFound = onFound
  }

  /** The leader and its topic, or undefined while it is not known. */
  find({ topic, partition }: TopicPartition): Leader | undefined {
    const found = this.#cluster.cachedTopic(topic)
    const metadata = found?.partitions[partition]
    if (metadata !== undefined && metadata.leaderId >= 0) {
      const { leaderId, leaderEpoch } = metadata
      return { leaderId, leaderEpoch, topicId: found!.topicId }
    }
    this.lost(topic)
    return undefined
  }

  /** What is known of the topic has proved wrong. */
  lost(topic: string): void {
    this.#wanted.add(topic)
    this.#askSoon()
  }

  /** Why a topic cannot be read, once. */
  takeRefusal(): KafkaError | undefined {
    for (const [topic, error] of this.#refusals) {
      this.#refusals.delete(topic)
      return error
    }
    return undefined
  }

  close(): void {
    this.#timer?.cancel()
    this.#wanted.clear()
  }

  #askSoon(): void {
    if (this.#isAsking || this.#timer !== undefined || this.#cluster.isClosed) return
    if (this.#failures === 0) {
      // At the end of the turn, so that all partitions that were found wanting are asked at once.
      this.#isAsking = true
      queueMicrotask(() => void this.#ask())
      return
    }
    const delayMs = this.#cluster.backoff.delayMs(this.#failures - 1)
    this.#timer = this.#cluster.environment.clock.schedule(delayMs, () => {
      this.#timer = undefined
      this.#isAsking = true
      void this.#ask()
    })
  }

  async #ask(): Promise<void> {
    const topics = [...this.#wanted]
    this.#wanted = new Set()
    this.#cluster.invalidate()
    const outcomes = await Promise.all(topics.map((topic) => this.#askFor(topic)))
    this.#isAsking = false
    this.#failures = outcomes.includes(false) ? this.#failures + 1 : 0
    if (outcomes.includes(true) || this.#refusals.size > 0) this.#onFound()
    if (this.#wanted.size > 0) this.#askSoon()
  }

  async #askFor(topic: string): Promise<boolean> {
    const limits = this.#cluster.limits()
    try {
      const found = await this.#cluster.topic(topic, limits)
      this.#refusals.delete(topic)
      return found.partitions.every(({ leaderId }) => leaderId >= 0)
    } catch (error) {
      if (error instanceof ClosedError) return false
      if (!(error instanceof KafkaError)) throw error
      if (error.retriable || error instanceof TimeoutError) this.#wanted.add(topic)
      else this.#refusals.set(topic, error)
      return false
    }
  }
}
