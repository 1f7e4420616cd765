/**
 * A client's view of a cluster, under producer, consumer and admin: finds brokers, keeps metadata
 * fresh, sends requests to the right broker and tries again what failed for a passing reason.
 *
 * Whatever a broker answers is given to the caller as it is: only the caller knows where in a
 * response the errors are. It throws them, inside `retry`, and what is retriable is done again
 * after a back-off, until the call's time is up.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { SlabPool } from '../../common/slab.ts'
import { version } from '../../common/version.ts'
import type { BrokerConnection, SendOptions } from '../../network/broker-connection.ts'
import { Metadata } from '../../protocol/messages/metadata.ts'
import type { Api, RequestInput, ResponseOf } from '../../protocol/schema.ts'
import type { CommonConfig } from '../config/common-keys.ts'
import type { ClientEnvironment } from '../environment.ts'
import { ClosedError, PartialFailureError, TimeoutError, throwIfError } from '../errors.ts'
import { ClusterObserver } from '../observability/cluster-observer.ts'
import { Backoff } from './backoff.ts'
import { parseBootstrapServers } from './bootstrap-servers.ts'
import { type BrokerAddress, BrokerConnections } from './broker-connections.ts'
import { CallLimits, type CallOptions } from './call-limits.ts'
import {
  type BrokerNode,
  ClusterMetadata,
  type PartitionMetadata,
  type TopicMetadata,
} from './cluster-metadata.ts'
import { Coordinators, type CoordinatorType } from './coordinators.ts'

export interface ClusterClientOptions {
  readonly config: CommonConfig
  readonly environment: ClientEnvironment
  /** Requests on one connection at a time. */
  readonly maxInFlight?: number
  /** Whether asking for a topic may create it. */
  readonly allowAutoTopicCreation: boolean
  /** How often a call is made again at most; without it, what the configuration says. */
  readonly retries?: number
}

/** A request, or how to make it for a broker where that depends on what the broker knows. */
export type RequestFor<A extends Api> =
  | RequestInput<A>
  | ((connection: BrokerConnection) => RequestInput<A>)

const DEFAULT_MAX_IN_FLIGHT = 100
const SOFTWARE = { name: 'samsa', version }
/** Unused read memory that a client keeps. */
const MAX_IDLE_BYTES = 4 * 1024 * 1024

export class ClusterClient {
  readonly environment: ClientEnvironment
  readonly clientId: string
  /** Told of connections, requests and retries. */
  readonly observer: ClusterObserver
  readonly backoff: Backoff
  readonly coordinators = new Coordinators()
  readonly #config: CommonConfig
  readonly #bootstrap: readonly BrokerAddress[]
  readonly #connections: BrokerConnections
  readonly #allowAutoTopicCreation: boolean
  readonly #metadataMaxAgeMs: number
  readonly #retries: number
  /** The topics that are asked about in each refresh. */
  readonly #topics = new Set<string>()
  /** Those that are asked about besides, used or not. */
  #watched: ReadonlySet<string> | 'all' = new Set()
  #metadata = ClusterMetadata.empty
  /** When metadata came, on the monotonic clock. */
  #metadataAtMs = Number.NEGATIVE_INFINITY
  #isStale = true
  #refreshing: Promise<void> | undefined
  #nextRefresh: Promise<void> | undefined
  #isClosed = false

  /** Throws ConfigError for bootstrap servers that are no addresses. */
  constructor(options: ClusterClientOptions) {
    const { config, environment } = options
    const { clock, network, random, log, diagnostics } = environment
    this.#config = config
    this.environment = environment
    this.clientId = config.get('client.id')
    this.#bootstrap = parseBootstrapServers(config.get('bootstrap.servers'))
    this.#allowAutoTopicCreation = options.allowAutoTopicCreation
    this.#metadataMaxAgeMs = config.get('metadata.max.age.ms')
    this.#retries = options.retries ?? config.get('retries')
    this.observer = new ClusterObserver({ clientId: this.clientId, clock, diagnostics })
    const initialMs = config.get('retry.backoff.ms')
    this.backoff = new Backoff({ initialMs, maxMs: config.get('retry.backoff.max.ms'), random })
    this.#connections = new BrokerConnections({
      ...{ clock, network, log, observer: this.observer, software: SOFTWARE },
      pool: new SlabPool({ maxIdleBytes: MAX_IDLE_BYTES }),
      clientId: this.clientId,
      connectTimeoutMs: config.get('socket.connection.setup.timeout.ms'),
      requestTimeoutMs: config.get('request.timeout.ms'),
      maxInFlight: options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT,
      backoff: new Backoff({
        initialMs: config.get('reconnect.backoff.ms'),
        maxMs: config.get('reconnect.backoff.max.ms'),
        random,
      }),
      onLost: () => this.invalidate(),
    })
  }

  /** What is known at present. */
  get metadata(): ClusterMetadata {
    return this.#metadata
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** The limits of a call. */
  limits(options: CallOptions = {}): CallLimits {
    const defaultMs = this.#config.get('default.api.timeout.ms')
    return new CallLimits(this.environment.clock, options, defaultMs)
  }

  /** Lets the next look at metadata ask anew: what is known has proved wrong. */
  invalidate(): void {
    this.#isStale = true
  }

  /** A broker has named others, of which it was said that they lead partitions (KIP-951). */
  noteBrokers(brokers: Iterable<BrokerNode>): void {
    this.#metadata = this.#metadata.withBrokers(brokers)
  }

  /** A broker has named the leader of a partition: no need to ask for that (KIP-951). */
  noteLeader(topic: string, partition: number, leaderId: number, leaderEpoch: number): void {
    this.#metadata = this.#metadata.withLeader(topic, partition, leaderId, leaderEpoch)
  }

  /**
   * Does `attempt` until it succeeds, throws what is not retriable, or the call must end. A
   * TimeoutError has what went wrong last as its cause.
   */
  async retry<Result>(
    limits: CallLimits,
    attempt: (failures: number) => Promise<Result>,
  ): Promise<Result> {
    for (let failures = 0; ; failures++) {
      if (this.#isClosed) throw new ClosedError()
      limits.check()
      try {
        return await limits.wait(attempt(failures))
      } catch (error) {
        const mayRetry = error instanceof KafkaError && error.retriable
        // Those two have been tried again already as far as that makes sense.
        const isFinal = error instanceof TimeoutError || error instanceof PartialFailureError
        if (!mayRetry || isFinal || failures >= this.#retries) throw error
        limits.lastError = error
        const delayMs = this.backoff.delayMs(failures)
        this.observer.retried(failures + 1, delayMs, error)
        await limits.sleep(delayMs)
      }
    }
  }

  /** A topic, asked for if it is not known. Throws UNKNOWN_TOPIC_OR_PARTITION among others. */
  async topic(name: string, limits: CallLimits): Promise<TopicMetadata> {
    const known = this.cachedTopic(name)
    if (known !== undefined && !this.#isStale) return known
    this.#topics.add(name)
    await this.refresh(limits)
    const failure = this.#metadata.failures.get(name)
    if (failure !== undefined) {
      this.#topics.delete(name)
      throwIfError(failure)
    }
    const topic = this.#metadata.topics.get(name)
    if (topic === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    return topic
  }

  /** A topic, if it is known. Has metadata of a certain age asked again, without waiting for it. */
  cachedTopic(name: string): TopicMetadata | undefined {
    const topic = this.#metadata.topics.get(name)
    if (topic === undefined) return undefined
    this.#topics.add(name)
    const ageMs = this.environment.clock.monotonic() - this.#metadataAtMs
    if (ageMs > this.#metadataMaxAgeMs && this.#refreshing === undefined) {
      // Whoever comes next sees what it brings; that it failed, the next request will show.
      this.refresh(this.limits()).catch(() => {})
    }
    return topic
  }

  /** From now on each refresh also asks about these topics, or about all that there are. */
  watch(topics: ReadonlySet<string> | 'all'): void {
    this.#watched = topics
  }

  /** Asks for topics by their ids; `metadata.nameOf` knows those that exist afterwards. */
  async learnTopics(topicIds: readonly string[], limits: CallLimits): Promise<void> {
    const topics = topicIds.map((topicId) => ({ topicId, name: null }))
    const request = { topics, allowAutoTopicCreation: false }
    const response = await this.sendToAny(Metadata, request, limits)
    throwIfError(response.errorCode)
    this.#metadata = this.#metadata.with(response)
  }

  /** The partition's metadata; throws a retriable error where it has no leader. */
  async leader(topic: string, partition: number, limits: CallLimits): Promise<PartitionMetadata> {
    const found = (await this.topic(topic, limits)).partitions[partition]
    if (found === undefined || found.leaderId < 0) {
      this.invalidate()
      const name = found === undefined ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'LEADER_NOT_AVAILABLE'
      throw new KafkaError(name, `Partition ${topic}-${partition} has no leader`)
    }
    return found
  }

  /** Asks for metadata of all topics in use. Calls that come while one is under way share one. */
  async refresh(limits: CallLimits): Promise<void> {
    this.#nextRefresh ??= (this.#refreshing ?? Promise.resolve())
      .catch(() => {})
      .then(() => {
        this.#nextRefresh = undefined
        this.#refreshing = this.#refresh().finally(() => {
          this.#refreshing = undefined
        })
        return this.#refreshing
      })
    await limits.wait(this.#nextRefresh)
  }

  /** An open connection to a broker by its id. */
  async connectionTo(nodeId: number, limits: CallLimits, lane?: string): Promise<BrokerConnection> {
    const node = this.#metadata.brokers.get(nodeId)
    if (node === undefined) {
      this.invalidate()
      throw new KafkaError('BROKER_NOT_AVAILABLE', `There is no broker ${nodeId}`)
    }
    return await this.#connections.get(node, limits, lane)
  }

  /** An open connection to a broker by its id, if there is one at this moment. */
  openConnection(nodeId: number, lane?: string): BrokerConnection | undefined {
    const node = this.#metadata.brokers.get(nodeId)
    return node === undefined ? undefined : this.#connections.current(node, lane)
  }

  /** An open connection to any broker, one that has little to do if possible. */
  async anyConnection(limits: CallLimits): Promise<BrokerConnection> {
    const candidates = this.#candidates()
    const open = candidates.flatMap((address) => this.#connections.current(address) ?? [])
    if (open.length > 0) return open.reduce((a, b) => (b.inFlight < a.inFlight ? b : a))
    const ready = candidates.filter((address) => this.#connections.isReady(address))
    let failure: unknown
    for (const address of ready.length > 0 ? ready : candidates) {
      try {
        return await this.#connections.get(address, limits)
      } catch (error) {
        limits.check()
        failure = error
      }
    }
    throw failure
  }

  /** Sends to any broker, once. */
  async sendToAny<A extends Api>(
    api: A,
    request: RequestFor<A>,
    limits: CallLimits,
    options?: SendOptions,
  ): Promise<ResponseOf<A>> {
    return await this.#send(await this.anyConnection(limits), api, request, limits, options)
  }

  /** Sends to a broker by its id, once. */
  async sendTo<A extends Api>(
    nodeId: number,
    api: A,
    request: RequestFor<A>,
    limits: CallLimits,
    options?: SendOptions & { readonly lane?: string },
  ): Promise<ResponseOf<A>> {
    if (!this.#metadata.brokers.has(nodeId)) await this.refresh(limits)
    const connection = await this.connectionTo(nodeId, limits, options?.lane)
    return await this.#send(connection, api, request, limits, options)
  }

  /** Sends to the controller, once; `noteControllerMoved` has another looked for. */
  async sendToController<A extends Api>(
    api: A,
    request: RequestFor<A>,
    limits: CallLimits,
  ): Promise<ResponseOf<A>> {
    if (this.#isStale || this.#metadata.controllerId < 0) await this.refresh(limits)
    const { controllerId } = this.#metadata
    if (controllerId < 0) throw new KafkaError('NOT_CONTROLLER', 'There is no controller')
    return await this.sendTo(controllerId, api, request, limits)
  }

  /**
   * Sends to the coordinator of a group or a transactional id, once. `errorOf` finds the error
   * code of a response that concerns the coordinator, which is then looked for again.
   */
  async sendToCoordinator<A extends Api>(
    [type, key]: readonly [type: CoordinatorType, key: string],
    api: A,
    request: RequestFor<A>,
    limits: CallLimits,
    options: SendOptions & { readonly errorOf?: (response: ResponseOf<A>) => number } = {},
  ): Promise<ResponseOf<A>> {
    try {
      const connection = await this.coordinatorConnection([type, key], limits)
      const response = await this.#send(connection, api, request, limits, options)
      this.coordinators.noteError(type, key, options.errorOf?.(response) ?? ErrorCode.NONE)
      return response
    } catch (error) {
      if (error instanceof KafkaError) this.coordinators.noteError(type, key, error.code)
      throw error
    }
  }

  /** An open connection to the coordinator of a group or a transactional id. */
  async coordinatorConnection(
    [type, key]: readonly [type: CoordinatorType, key: string],
    limits: CallLimits,
  ): Promise<BrokerConnection> {
    const known = this.coordinators.get(type, key)
    const find = async () =>
      await this.coordinators.find(await this.anyConnection(limits), type, key)
    return await this.#connections.get(known ?? (await find()), limits, 'coordinator')
  }

  /** Ends everything: calls that are under way fail. */
  close(): void {
    this.#isClosed = true
    this.#connections.close()
  }

  async #send<A extends Api>(
    connection: BrokerConnection,
    api: A,
    request: RequestFor<A>,
    limits: CallLimits,
    options?: SendOptions,
  ): Promise<ResponseOf<A>> {
    const startMs = this.environment.clock.monotonic()
    const built = typeof request === 'function' ? request(connection) : request
    let failure: KafkaError | undefined
    try {
      return await limits.wait(connection.send(api, built, options))
    } catch (error) {
      if (error instanceof KafkaError) failure = error
      throw error
    } finally {
      this.observer.requestEnded(connection, api.name, startMs, failure)
    }
  }

  async #refresh(): Promise<void> {
    if (this.#isClosed) throw new ClosedError()
    const limits = this.limits({ timeoutMs: this.#config.get('request.timeout.ms') })
    this.#isStale = false
    try {
      const request = {
        topics: this.#watched === 'all' ? null : this.#topicsToAsk(this.#watched),
        allowAutoTopicCreation: this.#allowAutoTopicCreation,
      }
      const connection = await this.anyConnection(limits)
      const response = await this.#send(connection, Metadata, request, limits)
      throwIfError(response.errorCode)
      this.#metadata = this.#metadata.with(response, request.topics === null)
      this.#metadataAtMs = this.environment.clock.monotonic()
    } catch (error) {
      this.#isStale = true
      throw error
    }
  }

  #topicsToAsk(watched: ReadonlySet<string>): { name: string }[] {
    return [...this.#topics.union(watched)].map((name) => ({ name }))
  }

  /** Brokers to talk to, in an order that differs from client to client; the known ones first. */
  #candidates(): BrokerAddress[] {
    const rotated = (all: readonly BrokerAddress[]) => {
      const start = all.length > 1 ? this.environment.random.int(all.length) : 0
      return [...all.slice(start), ...all.slice(0, start)]
    }
    return [...rotated([...this.#metadata.brokers.values()]), ...rotated(this.#bootstrap)]
  }
}
