/**
 * The names of topics that the coordinator names by their ids. Those that metadata does not have
 * are asked for in the background; a topic that was deleted meanwhile has no name any more.
 */
import type { Timer } from '../../../common/clock.ts'
import { KafkaError } from '../../../common/errors.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import type { IdAssignment } from './consumer-member.ts'
import type { MembershipHost } from './group-membership.ts'

export class TopicNames {
  readonly #host: MembershipHost
  /** Of topics that are assigned: metadata may forget them first. */
  #known = new Map<string, string>()
  #asked: Timer | undefined
  #failures = 0

  constructor(host: MembershipHost) {
    this.#host = host
  }

  /** What of an assignment has names; `wake` is called when there may be more. */
  resolve(assignment: IdAssignment) {
    const { metadata } = this.#host.cluster
    const partitions: TopicPartition[] = []
    const known = new Map<string, readonly number[]>()
    const names = new Map<string, string>()
    for (const [topicId, numbers] of assignment) {
      const topic = metadata.nameOf(topicId) ?? this.#known.get(topicId)
      if (topic === undefined) continue
      names.set(topicId, topic)
      known.set(topicId, numbers)
      for (const partition of numbers) partitions.push({ topic, partition })
    }
    this.#known = names
    const missing = [...assignment.keys()].filter((topicId) => !names.has(topicId))
    if (missing.length > 0) this.#ask(missing)
    else this.#failures = 0
    return { partitions, assignment: known as IdAssignment, isComplete: missing.length === 0 }
  }

  forget(): void {
    this.#asked?.cancel()
    this.#asked = undefined
    this.#failures = 0
    this.#known.clear()
  }

  #ask(topicIds: readonly string[]): void {
    if (this.#asked !== undefined) return
    const { cluster, environment } = this.#host
    const delayMs = this.#failures === 0 ? 0 : cluster.backoff.delayMs(this.#failures - 1)
    this.#failures += 1
    const asked = environment.clock.schedule(delayMs, () => {
      cluster
        .learnTopics(topicIds, cluster.limits())
        .catch((error) => {
          if (!(error instanceof KafkaError)) throw error
          environment.log.debug(`names of topics could not be had: ${error.message}`)
        })
        .finally(() => {
          if (this.#asked !== asked) return
          this.#asked = undefined
          this.#host.wake()
        })
    })
    this.#asked = asked
  }
}
