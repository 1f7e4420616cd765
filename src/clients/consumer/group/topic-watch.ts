/**
 * Keeps metadata of the topics of a group fresh, whether or not they are read here: the member that
 * leads has to see partitions that are added and topics that come and go, and a pattern wants all
 * topics. Asked again after `metadata.max.age.ms`; sooner while a topic is missing, which may be on
 * its way into being.
 */
import type { Timer } from '../../../common/clock.ts'
import { KafkaError } from '../../../common/errors.ts'
import type { CallLimits } from '../../cluster/call-limits.ts'
import type { ClusterMetadata } from '../../cluster/cluster-metadata.ts'
import type { AssignableTopic } from './assignor.ts'
import type { MembershipHost } from './group-membership.ts'
import { compareText } from './member-order.ts'

export class TopicWatch {
  readonly #host: MembershipHost
  #topics: ReadonlySet<string> | 'all' = new Set()
  #timer: Timer | undefined
  #failures = 0
  /** Whether metadata has come since `all` topics are watched. */
  #hasAll = false
  /** Rises with each change of what is watched: what was begun before does not count. */
  #round = 0

  constructor(host: MembershipHost) {
    this.#host = host
  }

  /** What is known at present. */
  get metadata(): ClusterMetadata {
    return this.#host.cluster.metadata
  }

  /** Whether all that is watched has been asked about; `wake` is called when it has. */
  get isReady(): boolean {
    return this.#topics === 'all' ? this.#hasAll : true
  }

  /** Watches these topics and no others. */
  watch(topics: ReadonlySet<string> | 'all'): void {
    if (topics === this.#topics || isSame(topics, this.#topics)) return
    this.#topics = topics
    this.#hasAll = false
    this.#failures = 0
    this.#round += 1
    this.#host.cluster.watch(topics)
    this.#schedule(this.#isMissingAny ? 0 : this.#maxAgeMs)
  }

  /** Watches these topics too, and asks for those that are not known. */
  async learn(topics: ReadonlySet<string>, limits: CallLimits): Promise<void> {
    if (this.#topics !== 'all') this.watch(topics)
    if (topics.isSubsetOf(new Set(this.metadata.topics.keys()))) return
    await this.#host.cluster.retry(limits, () => this.#host.cluster.refresh(limits))
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#round += 1
    this.#topics = new Set()
    this.#host.cluster.watch(this.#topics)
  }

  get #maxAgeMs(): number {
    return this.#host.config.get('metadata.max.age.ms')
  }

  get #isMissingAny(): boolean {
    if (this.#topics === 'all') return !this.#hasAll
    return !this.#topics.isSubsetOf(new Set(this.metadata.topics.keys()))
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel()
    const { clock } = this.#host.environment
    this.#timer = clock.schedule(delayMs, () => void this.#refresh())
  }

  async #refresh(): Promise<void> {
    const { cluster, environment } = this.#host
    const round = this.#round
    try {
      await cluster.refresh(cluster.limits())
      if (round !== this.#round) return
      this.#hasAll = true
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      environment.log.debug(`metadata of the group's topics could not be had: ${error.message}`)
    }
    if (round !== this.#round || cluster.isClosed) return
    const isMissingAny = this.#isMissingAny
    this.#failures = isMissingAny ? this.#failures + 1 : 0
    const delayMs = isMissingAny ? cluster.backoff.delayMs(this.#failures - 1) : this.#maxAgeMs
    this.#schedule(delayMs)
    this.#host.wake()
  }
}

/** The topics among `names` that exist, as assignors want them. */
export function assignableTopics(
  metadata: ClusterMetadata,
  names: Iterable<string>,
): Map<string, AssignableTopic> {
  const topics = new Map<string, AssignableTopic>()
  for (const name of [...names].sort(compareText)) {
    const partitions = metadata.topics.get(name)?.partitions
    if (partitions === undefined || partitions.length === 0) continue
    const racks = partitions.map(({ replicas }) =>
      replicas.flatMap((id) => metadata.brokers.get(id)?.rack ?? []),
    )
    topics.set(name, { name, partitionCount: partitions.length, racks })
  }
  return topics
}

/** The topics that a pattern matches; internal ones may be passed over. */
export function matchingTopics(
  metadata: ClusterMetadata,
  pattern: RegExp,
  excludesInternal: boolean,
): string[] {
  // With either of these flags a pattern would begin where its last match ended.
  const plain = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''))
  const candidates = [...metadata.topics.values()].filter(
    ({ isInternal }) => !(excludesInternal && isInternal),
  )
  return candidates.map(({ name }) => name).filter((name) => plain.test(name))
}

function isSame(a: ReadonlySet<string> | 'all', b: ReadonlySet<string> | 'all'): boolean {
  if (a === 'all' || b === 'all') return a === b
  return a.size === b.size && a.isSubsetOf(b)
}
