/**
 * Fetching from one broker, and acknowledging to it, as a member of a share group.
 *
 * Requests of a share session are numbered, so that there is one under way at a time; what is to be
 * acknowledged meanwhile goes with the next. Nothing is fetched ahead: records are locked from the
 * moment they leave the broker, so they are asked for only while somebody waits for them.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import type { BrokerConnection } from '../../network/broker-connection.ts'
import { ShareAcknowledge } from '../../protocol/messages/share-acknowledge.ts'
import { ShareFetch, type ShareFetchResponse } from '../../protocol/messages/share-fetch.ts'
import type { CallLimits } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { errorForCode } from '../errors.ts'
import type { ConsumerObserver } from '../observability/consumer-observer.ts'
import { type Acknowledgements, hasRenewal } from './acknowledgements.ts'
import type { SharePartition } from './in-flight-records.ts'
import { type FetchLimits, ShareSession } from './share-session.ts'

/** Acknowledgements of a partition, and who waits to hear of them. */
export interface PendingAcknowledgement {
  readonly topicId: string
  readonly partition: number
  readonly codes: Acknowledgements
  /** Called once; with an error, the locks are lost, or may be. */
  done(error: KafkaError | undefined): void
}

/** What a fetch has brought. */
export interface ShareAnswer {
  readonly asked: readonly SharePartition[]
  readonly response: ShareFetchResponse
  /** Whether the session goes on: with it end all locks. */
  isHeld(): boolean
}

export interface ShareBrokerOptions {
  readonly cluster: ClusterClient
  readonly nodeId: number
  readonly groupId: string
  readonly memberId: string
  readonly limits: FetchLimits
  readonly observer: ConsumerObserver
  /** Takes what has been fetched. */
  readonly onFetched: (answer: ShareAnswer) => void
  /** A request is done, or may be made again. */
  readonly onIdle: () => void
  /** What is known of the cluster may be wrong. */
  readonly onFailed: () => void
}

type PartitionResponse = ShareFetchResponse['responses'][number]['partitions'][number]

/** Not retriable as the protocol has it, and yet nothing that an application could do about. */
const PASSING: readonly number[] = [ErrorCode.BROKER_NOT_AVAILABLE, ErrorCode.UNKNOWN_SERVER_ERROR]
/** Requests that only change the session ask for nothing. */
const NOTHING: FetchLimits = {
  ...{ maxWaitMs: 0, minBytes: 0, maxBytes: 0, maxRecords: 0, isRecordLimit: false },
}
/** The first version of ShareAcknowledge in which locks can be renewed (KIP-1222). */
const RENEWAL_VERSION = 2
/** What is held open must not hold up other requests of this client. */
const LANE = 'share'

export class ShareBroker {
  readonly nodeId: number
  /** What is to be fetched. */
  wanted: readonly SharePartition[] = []
  /** Why nothing can be fetched, for the application to know. */
  error: KafkaError | undefined
  readonly #options: ShareBrokerOptions
  readonly #session: ShareSession
  /** How many sessions have ended. */
  #sessions = 0
  #waiting: PendingAcknowledgement[] = []
  #connection: BrokerConnection | undefined
  #request: Promise<void> | undefined
  /** On the monotonic clock: nothing is sent before. */
  #notBeforeMs = 0
  #failures = 0

  constructor(options: ShareBrokerOptions) {
    this.nodeId = options.nodeId
    this.#options = options
    this.#session = new ShareSession(options.groupId, options.memberId)
  }

  get isBusy(): boolean {
    return this.#request !== undefined
  }

  /** Acknowledges with the next request. */
  acknowledge(acknowledgement: PendingAcknowledgement): void {
    this.#waiting.push(acknowledgement)
  }

  /** Sends what there is to send, unless a request is under way. */
  pump(wantsRecords: boolean): void {
    if (this.isBusy || this.#nowMs < this.#notBeforeMs) return
    const isForgetting = this.#session.isOpen && !this.#session.covers(this.wanted)
    const mayFetch = !this.#waiting.some(({ codes }) => hasRenewal(codes))
    if (mayFetch && wantsRecords && this.wanted.length > 0) {
      this.#start((limits) => this.#fetch(this.#options.limits, limits))
    } else if (this.#waiting.length > 0) {
      this.#start((limits) => this.#acknowledge(limits, false))
    } else if (mayFetch && isForgetting) {
      this.#start((limits) => this.#fetch(NOTHING, limits))
    }
  }

  /** Acknowledges what is left and gives back all that is locked. Never rejects. */
  async release(limits: CallLimits): Promise<void> {
    try {
      while (this.#request !== undefined) await limits.wait(this.#request)
      if (this.#session.isOpen) await this.#acknowledge(limits, true)
    } catch (error) {
      // With the connection the session ends too.
      if (!(error instanceof KafkaError)) throw error
    }
    this.#endSession()
    this.#failWaiting(new KafkaError('SHARE_SESSION_NOT_FOUND', 'The share session was closed'))
  }

  get #nowMs(): number {
    return this.#options.cluster.environment.clock.monotonic()
  }

  #start(request: (limits: CallLimits) => Promise<void>): void {
    const { cluster, onIdle } = this.#options
    this.#request = request(cluster.limits())
      .catch((error) => {
        if (!(error instanceof KafkaError)) throw error
        this.#endSession()
        this.#failed(error)
      })
      .finally(() => {
        this.#request = undefined
        onIdle()
      })
  }

  async #fetch(what: FetchLimits, limits: CallLimits): Promise<void> {
    const { cluster, onFetched, observer } = this.#options
    const startMs = observer.nowMs
    let sent: PendingAcknowledgement[] = []
    let asked: readonly SharePartition[] = []
    let response: ShareFetchResponse
    try {
      const request = (connection: BrokerConnection) => {
        sent = this.#takeWaiting(connection)
        asked = this.wanted
        return this.#session.fetchRequest(asked, sent, what)
      }
      response = await cluster.sendTo(this.nodeId, ShareFetch, request, limits, { lane: LANE })
      this.#session.answered(response.errorCode)
      if (response.errorCode !== ErrorCode.NONE) {
        throw errorForCode(response.errorCode, response.errorMessage)
      }
    } catch (error) {
      if (error instanceof KafkaError) {
        observer.fetched(this.nodeId, startMs, error)
        for (const { done } of sent) done(error)
      }
      throw error
    }
    observer.fetched(this.nodeId, startMs, response)
    this.error = undefined
    this.#settle(sent, response.responses, (partition) => {
      return [partition.acknowledgeErrorCode, partition.acknowledgeErrorMessage]
    })
    this.#noteErrors(response)
    const session = this.#sessions
    const isHeld = () => session === this.#sessions && this.#connection!.isOpen
    onFetched({ asked, response, isHeld })
  }

  async #acknowledge(limits: CallLimits, isFinal: boolean): Promise<void> {
    const { cluster } = this.#options
    let sent: PendingAcknowledgement[] = []
    try {
      const request = (connection: BrokerConnection) => {
        sent = this.#takeWaiting(connection)
        if (sent.length === 0 && !isFinal) throw new NothingToSend()
        return this.#session.acknowledgeRequest(sent, isFinal)
      }
      const options = { lane: LANE }
      const { nodeId } = this
      const response = await cluster.sendTo(nodeId, ShareAcknowledge, request, limits, options)
      this.#session.answered(response.errorCode)
      if (response.errorCode !== ErrorCode.NONE) {
        throw errorForCode(response.errorCode, response.errorMessage)
      }
      this.#settle(sent, response.responses, (partition) => {
        return [partition.errorCode, partition.errorMessage]
      })
    } catch (error) {
      if (error instanceof NothingToSend) return
      if (error instanceof KafkaError) for (const { done } of sent) done(error)
      throw error
    }
  }

  /** What waits, unless the session in which it was acquired is no more. */
  #takeWaiting(connection: BrokerConnection): PendingAcknowledgement[] {
    if (connection !== this.#connection) this.#endSession()
    this.#connection = connection
    if (!this.#session.isOpen) this.#failWaiting(new KafkaError('SHARE_SESSION_NOT_FOUND'))
    const waiting = this.#waiting.splice(0)
    if ((connection.supportedVersion(ShareAcknowledge) ?? 0) >= RENEWAL_VERSION) return waiting
    return waiting.filter(({ codes, done }) => {
      if (!hasRenewal(codes)) return true
      done(new KafkaError('UNSUPPORTED_VERSION', 'The broker does not renew locks'))
      return false
    })
  }

  #endSession(): void {
    this.#session.reset()
    this.#sessions += 1
  }

  #failWaiting(error: KafkaError): void {
    for (const { done } of this.#waiting.splice(0)) done(error)
  }

  #settle<Partition extends { readonly partitionIndex: number }>(
    sent: readonly PendingAcknowledgement[],
    topics: readonly { readonly topicId: string; readonly partitions: readonly Partition[] }[],
    outcomeOf: (partition: Partition) => readonly [code: number, message: string | null],
  ): void {
    for (const { topicId, partition, done } of sent) {
      const found = topics
        .find((topic) => topic.topicId === topicId)
        ?.partitions.find(({ partitionIndex }) => partitionIndex === partition)
      const [code, message] = found === undefined ? [0, null] : outcomeOf(found)
      done(code === ErrorCode.NONE ? undefined : errorForCode(code, message))
    }
  }

  /** Errors of single partitions: mostly, somebody else leads them by now. */
  #noteErrors({ responses }: ShareFetchResponse): void {
    const failed = responses.flatMap(({ topicId, partitions }) =>
      partitions
        .filter(({ errorCode }) => errorCode !== ErrorCode.NONE)
        .map((partition) => ({ ...partition, topicId })),
    )
    if (failed.length === 0) {
      this.#failures = 0
      return
    }
    for (const partition of failed) this.#noteLeader(partition)
    const { errorCode, errorMessage } = failed[0]!
    this.#failed(errorForCode(errorCode, errorMessage))
  }

  #noteLeader({ topicId, partitionIndex, currentLeader }: PartitionResponse & { topicId: string }) {
    const { leaderId, leaderEpoch } = currentLeader
    const found = this.wanted.find((each) => {
      return each.topicId === topicId && each.partition === partitionIndex
    })
    if (found === undefined || leaderEpoch <= 0) return
    this.#options.cluster.noteLeader(found.topic, partitionIndex, leaderId, leaderEpoch)
  }

  /** After a failure one waits, and looks anew at who leads what. */
  #failed(error: KafkaError): void {
    const { cluster, onIdle, onFailed } = this.#options
    const { clock, log } = cluster.environment
    if (cluster.isClosed) return
    if (!error.retriable && !PASSING.includes(error.code)) this.error = error
    onFailed()
    log.debug(`share fetch from broker ${this.nodeId} failed: ${error.message}`)
    const delayMs = cluster.backoff.delayMs(this.#failures++)
    this.#notBeforeMs = this.#nowMs + delayMs
    // A timer may be a fraction of a millisecond early.
    clock.schedule(delayMs + 1, onIdle)
  }
}

/** Thrown where a request turns out to be needless when it is being made. */
class NothingToSend extends Error {}
