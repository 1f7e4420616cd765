/**
 * All brokers from which a member of a share group fetches: who leads what is assigned, by the
 * metadata there is, which are asked again where they do not say.
 */
import type { KafkaError } from '../../common/errors.ts'
import type { CallLimits } from '../cluster/call-limits.ts'
import type { ClusterMetadata } from '../cluster/cluster-metadata.ts'
import type { SharePartition } from './in-flight-records.ts'
import {
  type PendingAcknowledgement,
  ShareBroker,
  type ShareBrokerOptions,
} from './share-broker.ts'
import type { ShareMembership } from './share-membership.ts'
import type { PartitionId } from './share-session.ts'

export interface ShareBrokersOptions
  extends Omit<ShareBrokerOptions, 'nodeId' | 'onIdle' | 'onFailed'> {
  readonly membership: ShareMembership
  /** There may be something new for whoever waits. */
  readonly wake: () => void
}

export class ShareBrokers {
  readonly #options: ShareBrokersOptions
  readonly #brokers = new Map<number, ShareBroker>()
  /** What the present routes follow from. */
  #assignment: readonly PartitionId[] = []
  #metadata: ClusterMetadata | undefined
  #isUncertain = false
  #isRefreshing = false
  #failures = 0
  #isClosed = false

  constructor(options: ShareBrokersOptions) {
    this.#options = options
  }

  /** Sends what there is to send; asks for records with `wantsRecords`. */
  pump(wantsRecords: boolean): void {
    if (this.#isClosed) return
    this.#route()
    for (const broker of this.#brokers.values()) broker.pump(wantsRecords)
  }

  /** Acknowledges to the broker that gave the records, with the next request to it. */
  acknowledge(nodeId: number, pending: PendingAcknowledgement): void {
    this.#broker(nodeId).acknowledge(pending)
  }

  /** What the application must know of; told once. */
  takeError(): KafkaError | undefined {
    for (const broker of this.#brokers.values()) {
      const { error } = broker
      broker.error = undefined
      if (error !== undefined) return error
    }
    return undefined
  }

  /** Acknowledges what is left and gives back all that is locked. */
  async release(limits: CallLimits): Promise<void> {
    await Promise.all([...this.#brokers.values()].map((broker) => broker.release(limits)))
  }

  /** From now on nothing is sent, but by `release`. */
  close(): void {
    this.#isClosed = true
  }

  #broker(nodeId: number): ShareBroker {
    let broker = this.#brokers.get(nodeId)
    if (broker === undefined) {
      broker = new ShareBroker({
        ...this.#options,
        nodeId,
        onIdle: () => {
          this.#options.wake()
          this.pump(false)
        },
        onFailed: () => {
          this.#isUncertain = true
        },
      })
      this.#brokers.set(nodeId, broker)
    }
    return broker
  }

  #route(): void {
    const { cluster, membership } = this.#options
    const { assignment, topics } = membership
    // Has metadata of a certain age asked again.
    for (const topic of topics) cluster.cachedTopic(topic)
    const isSame = assignment === this.#assignment && cluster.metadata === this.#metadata
    if (this.#isUncertain) this.#refresh()
    if (isSame) return
    this.#assignment = assignment
    this.#metadata = cluster.metadata
    const routes = new Map<number, SharePartition[]>()
    let isComplete = true
    for (const { topicId, partition } of assignment) {
      const topic = cluster.metadata.nameOf(topicId)
      const known = topic === undefined ? undefined : cluster.metadata.topics.get(topic)
      const nodeId = known?.partitions[partition]?.leaderId ?? -1
      if (nodeId < 0) {
        isComplete = false
        continue
      }
      const route = { topicId, topic: topic!, partition, nodeId }
      const others = routes.get(nodeId)
      if (others === undefined) routes.set(nodeId, [route])
      else others.push(route)
    }
    for (const broker of this.#brokers.values()) broker.wanted = []
    for (const [nodeId, wanted] of routes) this.#broker(nodeId).wanted = wanted
    if (isComplete) this.#failures = 0
    else this.#refresh()
  }

  /** Asks for metadata, and once more after a while if that was not enough. */
  #refresh(): void {
    if (this.#isRefreshing || this.#isClosed) return
    this.#isRefreshing = true
    this.#isUncertain = false
    const { cluster, membership, wake } = this.#options
    cluster.invalidate()
    const limits = cluster.limits()
    const asked = membership.topics.map((topic) => cluster.topic(topic, limits))
    void Promise.allSettled(asked).then(() => {
      wake()
      const delayMs = cluster.backoff.delayMs(this.#failures++)
      cluster.environment.clock.schedule(delayMs, () => {
        this.#isRefreshing = false
        // What is still missing is looked for again.
        this.#metadata = undefined
        wake()
      })
    })
  }
}
