/** What becomes of the answers to fetches: records are buffered, errors dealt with or kept. */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { recordsBuffer } from '../../protocol/compile.ts'
import type { FetchResponse } from '../../protocol/messages/fetch.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { errorForCode } from '../errors.ts'
import { OffsetOutOfRangeError } from './errors.ts'
import { FetchBuffer, type PartitionBatch } from './fetch-buffer.ts'
import type { PartitionFetch } from './fetch-session.ts'
import { FetchedRecords, type ReadingOptions } from './fetched-records.ts'
import type { PartitionLeaders } from './partition-leaders.ts'
import type { PartitionState } from './partition-state.ts'
import type { SubscriptionState } from './subscription-state.ts'

/** A partition in a request that is under way. */
export interface WantedPartition extends PartitionFetch {
  readonly state: PartitionState
  /** Those of the state when the request was made. */
  readonly jumps: number
}

export interface FetchAnswersOptions<Key, Value> extends ReadingOptions<Key, Value> {
  readonly cluster: ClusterClient
  readonly subscription: SubscriptionState
  readonly leaders: PartitionLeaders
  readonly isReadCommitted: boolean
  readonly metadataMaxAgeMs: number
}

/** An error to be thrown when the position has come to where it happened. */
interface KeptError {
  readonly error: unknown
  readonly jumps: number
  readonly offset: number
}

type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number]

export class FetchAnswers<Key, Value> {
  readonly #options: FetchAnswersOptions<Key, Value>
  readonly #buffer = new FetchBuffer<Key, Value>()
  readonly #errors = new Map<PartitionState, KeptError>()

  constructor(options: FetchAnswersOptions<Key, Value>) {
    this.#options = options
  }

  get bufferedBytes(): number {
    return this.#buffer.sizeInBytes
  }

  /** At most `max` records. Throws if there are none for a reason. */
  collect(max: number): PartitionBatch<Key, Value>[] {
    const batches = this.#buffer.collect(max)
    if (batches.length === 0) this.#throwError()
    return batches
  }

  /** Gives up what is held of partitions that are not to be read now. */
  dropWithheld(): void {
    this.#buffer.dropWithheld()
  }

  clear(): void {
    this.#buffer.clear()
    this.#errors.clear()
  }

  /** Takes an answer of broker `nodeId` to a request. Returns whether it pays to ask for more. */
  take(nodeId: number, wanted: readonly WantedPartition[], response: FetchResponse): boolean {
    const byName = new Map(wanted.map((partition) => [partition.name, partition]))
    const names = new Map(wanted.map(({ topicId, topic }) => [topicId, topic]))
    let isWorthwhile = false
    for (const answered of response.responses) {
      const topic = answered.topic !== '' ? answered.topic : names.get(answered.topicId)
      for (const answer of answered.partitions) {
        const found = byName.get(`${topic}-${answer.partitionIndex}`)
        if (found === undefined || hasMoved(found)) continue
        if (answer.errorCode !== ErrorCode.NONE) this.#failed(nodeId, found, answer, response)
        else if (this.#takePartition(found.state, answer)) isWorthwhile = true
      }
    }
    return isWorthwhile
  }

  /** Keeps an error until the position of the partition is where it happened. */
  keepError(state: PartitionState, error: unknown): void {
    this.#errors.set(state, { error, jumps: state.jumps, offset: state.fetchOffset })
  }

  /** The partition is not asked for again before a while. */
  backOff(state: PartitionState): void {
    const { environment, backoff } = this.#options.cluster
    state.failed(environment.clock.monotonic() + backoff.delayMs(state.failures))
  }

  #throwError(): void {
    for (const [state, { error, jumps, offset }] of this.#errors) {
      const isStale = state.jumps !== jumps
      if (!isStale && state.offset < offset) continue
      this.#errors.delete(state)
      if (!isStale) throw error
    }
  }

  #takePartition(state: PartitionState, answer: PartitionAnswer): boolean {
    const { metadataMaxAgeMs, isReadCommitted, cluster } = this.#options
    state.succeeded()
    this.#errors.delete(state)
    if (answer.highWatermark >= 0) state.highWatermark = answer.highWatermark
    if (answer.lastStableOffset >= 0) state.lastStableOffset = answer.lastStableOffset
    if (answer.logStartOffset >= 0) state.logStartOffset = answer.logStartOffset
    if (answer.preferredReadReplica >= 0) {
      state.preferredReplica = answer.preferredReadReplica
      state.preferredReplicaUntilMs = cluster.environment.clock.monotonic() + metadataMaxAgeMs
      return true
    }
    const bytes = recordsBuffer(answer.records)
    if (bytes.length === 0) return false
    const aborted = isReadCommitted ? answer.abortedTransactions : null
    const chunk = new FetchedRecords(state, bytes, aborted, this.#options)
    if (chunk.sizeInBytes === 0) {
      const text = `What was fetched of ${state.name} at offset ${state.fetchOffset} has no batch`
      this.keepError(state, new KafkaError('CORRUPT_MESSAGE', text))
      this.backOff(state)
      return false
    }
    state.fetchOffset = chunk.endOffset
    this.#buffer.add(chunk)
    return true
  }

  #failed(
    nodeId: number,
    { state, fetchOffset }: WantedPartition,
    { errorCode, currentLeader }: PartitionAnswer,
    { nodeEndpoints }: FetchResponse,
  ): void {
    const { cluster, leaders } = this.#options
    const { topic, partition } = state
    const isFromFollower = state.preferredReplica === nodeId
    state.preferredReplica = -1
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      // A follower may lag behind, and what is buffered comes first in any case.
      if (isFromFollower) return
      if (state.offset === fetchOffset) this.#outOfRange(state)
      else this.backOff(state)
      return
    }
    const { leaderId, leaderEpoch } = currentLeader
    if (leaderId >= 0) {
      cluster.noteBrokers(nodeEndpoints.map(({ nodeId: id, ...rest }) => ({ id, ...rest })))
      cluster.noteLeader(topic, partition, leaderId, leaderEpoch)
      // The answer names the new leader (KIP-951), which can be asked at once.
      if (leaders.find(state)?.leaderId !== nodeId) return
    }
    this.backOff(state)
    const error = errorForCode(errorCode)
    if (error.retriable) leaders.lost(topic)
    else this.keepError(state, error)
  }

  #outOfRange(state: PartitionState): void {
    const { subscription, cluster } = this.#options
    const { topic, partition, offset } = state
    if (subscription.defaultReset.kind === 'none') {
      this.keepError(state, new OffsetOutOfRangeError([{ topic, partition, offset }]))
      this.backOff(state)
      return
    }
    const { log } = cluster.environment
    log.info(`${state.name}: offset ${offset} is out of range, and the position is reset`)
    state.reset(subscription.defaultReset)
  }
}

/** Whether the partition has jumped elsewhere, or was given away, since it was asked for. */
function hasMoved({ state, jumps, fetchOffset }: WantedPartition): boolean {
  return state.jumps !== jumps || state.fetchOffset !== fetchOffset
}
