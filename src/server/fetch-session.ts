/**
 * Fetch sessions (KIP-227): the broker remembers what a client fetches, so that the client sends
 * only what changes and is told only what changed.
 *
 * ```
 * sessionId  epoch   means
 *     0        -1    no session wanted: a full fetch
 *    any        0    a full fetch that opens a session (and closes the named one)
 *     n      e > 0   the e-th incremental fetch of session n
 *     n        -1    a full fetch that closes session n
 * ```
 * When the cache is full, a session unused for two minutes makes room; if there is none, the client
 * gets no session and goes on with full fetches.
 */
import type { Clock } from '../common/clock.ts'
import { ErrorCode } from '../common/errors.ts'
import type { Random } from '../common/random.ts'
import type { FetchRequest } from '../protocol/messages/fetch.ts'
import { ZERO_UUID } from '../protocol/schema.ts'
import type { FetchedPartition, FetchPartition } from './fetch-records.ts'

const FINAL_EPOCH = -1
const INITIAL_EPOCH = 0
const MAX_INT32 = 0x7fff_ffff
const EVICTABLE_AFTER_MS = 120_000

/** Turns topic ids into names; undefined for an id that is not known. */
export type TopicNames = (topicId: string) => string | undefined

/** One fetch: what to read, and what of the outcome to tell the client. */
export interface FetchContext {
  /** Not NONE: the session is not usable, and nothing else is to be answered. */
  readonly errorCode: number
  readonly sessionId: number
  readonly partitions: readonly FetchPartition[]
  /** Whether the client has to be told of this outcome for `partitions[index]`. */
  includes(index: number, outcome: FetchedPartition): boolean
  /**
   * The client gets nothing this time. Returns the id of the session with which it goes on: none
   * after a full fetch, which it will send again.
   */
  postpone(): number
}

interface CachedPartition extends FetchPartition {
  /** What the client was told last. */
  highWatermark: number
  logStartOffset: number
}

interface Session {
  readonly id: number
  /** Names and ids of topics cannot be mixed within a session. */
  readonly usesTopicIds: boolean
  epoch: number
  lastUsedMs: number
  /** In the order in which they are read. Those that gave data go to the end. */
  readonly partitions: Map<string, CachedPartition>
}

export class FetchSessions {
  readonly #clock: Clock
  readonly #random: Random
  readonly #maxSessions: number
  /** Least recently used first. */
  readonly #sessions = new Map<number, Session>()

  constructor(options: { clock: Clock; random: Random; maxSessions: number }) {
    this.#clock = options.clock
    this.#random = options.random
    this.#maxSessions = options.maxSessions
  }

  get size(): number {
    return this.#sessions.size
  }

  /** What a fetch request asks for, together with what its session remembers. */
  begin(request: FetchRequest, version: number, topicName: TopicNames): FetchContext {
    const { sessionId, sessionEpoch } = request
    const usesTopicIds = version >= 13
    if (sessionEpoch > INITIAL_EPOCH) return this.#incremental(request, usesTopicIds, topicName)
    if (sessionId !== 0) this.#sessions.delete(sessionId)
    const partitions = requestedPartitions(request, usesTopicIds, topicName)
    if (sessionEpoch === FINAL_EPOCH || !this.#makeRoom()) return fullFetch(0, partitions)
    const session: Session = {
      id: this.#newId(),
      usesTopicIds,
      epoch: 1,
      lastUsedMs: this.#clock.monotonic(),
      partitions: new Map(partitions.map((p) => [keyOf(p), remembered(p)])),
    }
    this.#sessions.set(session.id, session)
    return {
      ...fullFetch(session.id, partitions),
      includes: this.#told(session, partitions, true),
      postpone: () => {
        this.#sessions.delete(session.id)
        return 0
      },
    }
  }

  #incremental(request: FetchRequest, usesTopicIds: boolean, topicName: TopicNames): FetchContext {
    const session = this.#sessions.get(request.sessionId)
    if (session === undefined) return failed(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    if (session.epoch !== request.sessionEpoch) {
      return failed(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    }
    if (session.usesTopicIds !== usesTopicIds) return failed(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
    session.epoch = session.epoch === MAX_INT32 ? 1 : session.epoch + 1
    session.lastUsedMs = this.#clock.monotonic()
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
    for (const forgotten of request.forgottenTopicsData) {
      for (const partition of forgotten.partitions) {
        session.partitions.delete(
          `${usesTopicIds ? forgotten.topicId : forgotten.topic}:${partition}`,
        )
      }
    }
    for (const partition of requestedPartitions(request, usesTopicIds, topicName)) {
      const key = keyOf(partition)
      const known = session.partitions.get(key)
      const { highWatermark, logStartOffset } = known ?? remembered(partition)
      session.partitions.set(key, { ...partition, highWatermark, logStartOffset })
    }
    // A topic may have come into being, or gone, since its id was first asked for.
    const partitions = [...session.partitions.values()].map((partition) =>
      usesTopicIds ? resolved(partition, topicName) : partition,
    )
    return {
      errorCode: ErrorCode.NONE,
      sessionId: session.id,
      partitions,
      includes: this.#told(session, partitions, false),
      postpone: () => session.id,
    }
  }

  /** Notes what the client is told, and decides whether it has to be. */
  #told(
    session: Session,
    partitions: readonly FetchPartition[],
    everything: boolean,
  ): FetchContext['includes'] {
    return (index, outcome) => {
      const key = keyOf(partitions[index]!)
      const cached = session.partitions.get(key)
      if (cached === undefined) return true
      const hasData = outcome.sizeInBytes > 0
      const isNews =
        hasData ||
        outcome.errorCode !== ErrorCode.NONE ||
        outcome.divergingEpoch !== undefined ||
        outcome.highWatermark !== cached.highWatermark ||
        outcome.logStartOffset !== cached.logStartOffset
      // After an error the client must be told when all is well again.
      const failing = outcome.errorCode !== ErrorCode.NONE
      cached.highWatermark = failing ? -1 : outcome.highWatermark
      cached.logStartOffset = failing ? -1 : outcome.logStartOffset
      if (hasData) {
        session.partitions.delete(key)
        session.partitions.set(key, cached)
      }
      return everything || isNews
    }
  }

  #makeRoom(): boolean {
    if (this.#sessions.size < this.#maxSessions) return true
    const oldest = this.#sessions.values().next().value
    if (oldest === undefined) return false
    if (this.#clock.monotonic() - oldest.lastUsedMs < EVICTABLE_AFTER_MS) return false
    this.#sessions.delete(oldest.id)
    return true
  }

  #newId(): number {
    for (;;) {
      const id = 1 + this.#random.int(MAX_INT32)
      if (!this.#sessions.has(id)) return id
    }
  }
}

function requestedPartitions(
  request: FetchRequest,
  usesTopicIds: boolean,
  topicName: TopicNames,
): FetchPartition[] {
  return request.topics.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((wanted) => {
      const partition: FetchPartition = {
        topic,
        topicId: usesTopicIds ? topicId : ZERO_UUID,
        partitionIndex: wanted.partition,
        currentLeaderEpoch: wanted.currentLeaderEpoch,
        fetchOffset: wanted.fetchOffset,
        lastFetchedEpoch: wanted.lastFetchedEpoch,
        maxBytes: wanted.partitionMaxBytes,
        errorCode: ErrorCode.NONE,
      }
      return usesTopicIds ? resolved(partition, topicName) : partition
    }),
  )
}

function resolved<P extends FetchPartition>(partition: P, topicName: TopicNames): P {
  const name = topicName(partition.topicId)
  return name === undefined
    ? { ...partition, errorCode: ErrorCode.UNKNOWN_TOPIC_ID }
    : { ...partition, topic: name, errorCode: ErrorCode.NONE }
}

function keyOf(partition: FetchPartition): string {
  const { topicId, topic, partitionIndex } = partition
  return `${topicId === ZERO_UUID ? topic : topicId}:${partitionIndex}`
}

function remembered(partition: FetchPartition): CachedPartition {
  return { ...partition, highWatermark: -1, logStartOffset: -1 }
}

function fullFetch(sessionId: number, partitions: readonly FetchPartition[]): FetchContext {
  const postpone = () => 0
  return { errorCode: ErrorCode.NONE, sessionId, partitions, includes: () => true, postpone }
}

function failed(errorCode: number): FetchContext {
  return { errorCode, sessionId: 0, partitions: [], includes: () => false, postpone: () => 0 }
}
