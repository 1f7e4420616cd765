/**
 * The topics of a subscription in the metadata: watched, matched by a pattern where there is one,
 * and looked through for those that may not be read.
 */
import { ErrorCode, KafkaError } from '../../../common/errors.ts'
import { errorForCode } from '../../errors.ts'
import type { MembershipHost } from './group-membership.ts'
import { matchingTopics, type TopicWatch } from './topic-watch.ts'

export class SubscribedTopics {
  readonly #host: MembershipHost
  readonly #watch: TopicWatch
  /** The metadata, the assignment and the pattern that have been looked at. */
  #seen: readonly unknown[] = []

  constructor(host: MembershipHost, watch: TopicWatch) {
    this.#host = host
    this.#watch = watch
  }

  /**
   * Brings the subscription up to date with the metadata. `others` are watched as well. Returns
   * whether the topics are known, which those of a pattern are when metadata of all topics has
   * come. Throws for topics that the consumer has no right to, or that cannot be.
   */
  look(others?: ReadonlySet<string>): boolean {
    const { subscription, config } = this.#host
    const { pattern } = subscription
    this.#watch.watch(pattern === undefined ? (others ?? subscription.topics) : 'all')
    if (!this.#watch.isReady) return false
    const { metadata } = this.#watch
    const seen = [metadata, subscription.version, pattern]
    if (seen.every((each, index) => each === this.#seen[index])) return true
    const isNewMetadata = metadata !== this.#seen[0]
    this.#seen = seen
    if (pattern !== undefined) {
      const matches = matchingTopics(metadata, pattern, config.get('exclude.internal.topics'))
      // Who assigned what is not known here has newer metadata; until that comes here, too.
      const assigned = isNewMetadata ? [] : subscription.assigned().map(({ topic }) => topic)
      subscription.setMatches(new Set([...matches, ...assigned]))
    }
    this.#throwRefusals()
    return true
  }

  /** Whether the group may assign the topic: it may know more topics that match a pattern. */
  admits(topic: string): boolean {
    const { topics, pattern } = this.#host.subscription
    return topics.has(topic) || (pattern !== undefined && new RegExp(pattern).test(topic))
  }

  #throwRefusals(): void {
    const { topics } = this.#host.subscription
    const of = (wanted: number) =>
      [...this.#watch.metadata.failures].flatMap(([name, code]) =>
        code === wanted && topics.has(name) ? name : [],
      )
    const refused = of(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    if (refused.length > 0) {
      const text = `Not authorized to access topics: [${refused.join(', ')}]`
      throw new KafkaError('TOPIC_AUTHORIZATION_FAILED', text)
    }
    const invalid = of(ErrorCode.INVALID_TOPIC_EXCEPTION)
    if (invalid.length === 0) return
    throw errorForCode(ErrorCode.INVALID_TOPIC_EXCEPTION, `Invalid topics: [${invalid.join(', ')}]`)
  }
}
