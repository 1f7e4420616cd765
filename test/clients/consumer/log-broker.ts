/**
 * Brokers that serve made-up logs of a topic `t`, with fetch sessions as strict as Kafka's, and
 * with faults where a test wants them.
 */
import { type Clock, sleep } from '../../../src/common/clock.ts'
import { ErrorCode } from '../../../src/common/errors.ts'
import { Fetch, type FetchRequest } from '../../../src/protocol/messages/fetch.ts'
import { ListOffsets } from '../../../src/protocol/messages/list-offsets.ts'
import { Metadata } from '../../../src/protocol/messages/metadata.ts'
import { OffsetForLeaderEpoch } from '../../../src/protocol/messages/offset-for-leader-epoch.ts'
import type { ResponseInput } from '../../../src/protocol/schema.ts'
import { type Answer, answer, requestOf, type Script } from '../support/scripted-broker.ts'
import type { LogModel } from './log-model.ts'

export const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** What goes wrong with one fetch. */
export type FetchFault =
  | 'none'
  | 'close'
  | 'lose answer'
  | 'forget session'
  | 'refuse session'
  | 'move leader'
  | 'move leader, tell'
  | 'unknown topic'
  | 'no storage'

type Asked = FetchRequest['topics'][number]['partitions'][number]
type Told = NonNullable<
  NonNullable<ResponseInput<typeof Fetch>['responses']>[number]['partitions']
>[number]

interface Session {
  epoch: number
  readonly partitions: Map<number, Asked>
}

export class LogCluster {
  readonly logs: readonly LogModel[]
  /** Of each partition. */
  readonly leaders: number[]
  readonly leaderEpochs: number[]
  /** A replica to which leaders send consumers (KIP-392); -1: they answer themselves. */
  preferredReplica = -1
  /** What that replica has heard of. */
  preferredReplicaEnd = Number.POSITIVE_INFINITY
  readonly #clock: Clock
  readonly #nextFault: () => FetchFault
  readonly #brokers: number
  #nextSession = 100

  constructor(
    logs: readonly LogModel[],
    clock: Clock,
    { brokers = 1, nextFault = (): FetchFault => 'none' } = {},
  ) {
    this.logs = logs
    this.#clock = clock
    this.#brokers = brokers
    this.#nextFault = nextFault
    this.leaders = logs.map((_, partition) => 1 + (partition % brokers))
    this.leaderEpochs = logs.map(() => 0)
  }

  /** What broker `id` does. */
  script(id: number): Script {
    const sessions = new Map<number, Session>()
    return async (asked) => {
      if (asked.api.key === Metadata.key) return this.#metadata()
      const offsets = requestOf(ListOffsets, asked)
      if (offsets !== undefined) return this.#listOffsets(offsets.topics[0]!.partitions)
      const epochs = requestOf(OffsetForLeaderEpoch, asked)
      if (epochs !== undefined) return this.#epochEnds(epochs.topics[0]!.partitions)
      const fetch = requestOf(Fetch, asked)
      return fetch === undefined ? undefined : await this.#fetch(id, sessions, fetch, asked.version)
    }
  }

  /** Another broker leads the partition, in a new epoch. */
  moveLeader(partition: number): void {
    this.leaders[partition] = 1 + (this.leaders[partition]! % this.#brokers)
    this.leaderEpochs[partition]! += 1
  }

  /** A new leader has the log only up to an offset. */
  cutOff(partition: number, offset: number): void {
    this.logs[partition]!.cutOff(offset)
    this.moveLeader(partition)
  }

  #metadata(): Answer {
    const ids = Array.from({ length: this.#brokers }, (_, index) => index + 1)
    return answer(Metadata, {
      brokers: ids.map((nodeId) => ({ nodeId, host: `broker-${nodeId}`, port: 9092 })),
      controllerId: 1,
      topics: [
        {
          ...{ errorCode: 0, name: 't', topicId: TOPIC_ID },
          partitions: this.logs.map((_, partitionIndex) => ({
            ...{ errorCode: 0, partitionIndex, replicaNodes: ids, isrNodes: ids },
            leaderId: this.leaders[partitionIndex]!,
            leaderEpoch: this.leaderEpochs[partitionIndex]!,
          })),
        },
      ],
    })
  }

  #listOffsets(partitions: readonly { partitionIndex: number; timestamp: number }[]): Answer {
    const found = partitions.map(({ partitionIndex, timestamp }) => {
      const offset = timestamp === -2 ? 0 : this.logs[partitionIndex]!.endOffset
      return { partitionIndex, errorCode: 0, timestamp: -1, offset, leaderEpoch: 0 }
    })
    return answer(ListOffsets, { topics: [{ name: 't', partitions: found }] })
  }

  #epochEnds(partitions: readonly { partition: number; leaderEpoch: number }[]): Answer {
    const found = partitions.map(({ partition, leaderEpoch }) => {
      const { endOffset } = this.logs[partition]!
      return { partition, errorCode: 0, leaderEpoch, endOffset }
    })
    return answer(OffsetForLeaderEpoch, { topics: [{ topic: 't', partitions: found }] })
  }

  async #fetch(
    id: number,
    sessions: Map<number, Session>,
    request: FetchRequest,
    version: number,
  ): Promise<Answer> {
    const fault = this.#nextFault()
    if (fault === 'close') return 'close'
    if (fault === 'forget session') sessions.clear()
    if (fault === 'refuse session') return refused(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    const found = this.#session(sessions, request)
    if ('errorCode' in found) return refused(found.errorCode)
    const { session, sessionId } = found
    const isFull = request.sessionEpoch <= 0
    const told: Told[] = []
    let left = request.maxBytes
    for (const [partition, asked] of session.partitions) {
      const outcome = this.#read(id, partition, asked, request.isolationLevel === 1, left, fault)
      left -= outcome.records?.length ?? 0
      const hasRecords = (outcome.records?.length ?? 0) > 0
      const isNews = outcome.errorCode !== 0 || outcome.preferredReadReplica !== undefined
      if (isFull || isNews || hasRecords) told.push(outcome)
    }
    if (fault === 'lose answer') return 'close'
    const isQuiet = told.every(({ errorCode, records, preferredReadReplica }) => {
      return errorCode === 0 && !records?.length && preferredReadReplica === undefined
    })
    if (isQuiet) await sleep(this.#clock, request.maxWaitMs)
    const topic = version >= 13 ? { topicId: TOPIC_ID } : { topic: 't' }
    const responses = told.length === 0 ? [] : [{ ...topic, partitions: told }]
    const brokers = Array.from({ length: this.#brokers }, (_, index) => index + 1)
    const nodeEndpoints = brokers.map((nodeId) => {
      return { nodeId, host: `broker-${nodeId}`, port: 9092 }
    })
    return answer(Fetch, { errorCode: 0, sessionId, responses, nodeEndpoints })
  }

  #session(
    sessions: Map<number, Session>,
    request: FetchRequest,
  ): { session: Session; sessionId: number } | { errorCode: number } {
    const { sessionId, sessionEpoch } = request
    const asked = request.topics.flatMap(({ partitions }) => partitions)
    if (sessionEpoch <= 0) {
      sessions.delete(sessionId)
      const session = { epoch: 1, partitions: new Map(asked.map((p) => [p.partition, p])) }
      const id = sessionEpoch === 0 ? this.#nextSession++ : 0
      if (id !== 0) sessions.set(id, session)
      return { session, sessionId: id }
    }
    const session = sessions.get(sessionId)
    if (session === undefined) return { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND }
    if (session.epoch !== sessionEpoch) return { errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH }
    session.epoch += 1
    for (const partition of asked) session.partitions.set(partition.partition, partition)
    for (const { partitions } of request.forgottenTopicsData) {
      for (const partition of partitions) {
        // A client that forgets what is not there, or asks for it again, has lost count.
        if (!session.partitions.delete(partition)) throw new Error(`${partition} is not there`)
      }
    }
    return { session, sessionId }
  }

  #read(
    id: number,
    partition: number,
    { fetchOffset, partitionMaxBytes, currentLeaderEpoch }: Asked,
    isReadCommitted: boolean,
    maxBytes: number,
    fault: FetchFault,
  ): Told {
    if (fault.startsWith('move leader')) this.moveLeader(partition)
    const log = this.logs[partition]!
    const leader = {
      leaderId: this.leaders[partition]!,
      leaderEpoch: this.leaderEpochs[partition]!,
    }
    const failed = (errorCode: number, currentLeader?: typeof leader): Told => ({
      ...{ partitionIndex: partition, errorCode, highWatermark: -1, records: null },
      ...(currentLeader === undefined ? {} : { currentLeader }),
    })
    const isReplica = id === this.preferredReplica
    if (isReplica && fetchOffset > this.preferredReplicaEnd) {
      return failed(ErrorCode.OFFSET_OUT_OF_RANGE)
    }
    if (leader.leaderId !== id && !isReplica) {
      const isTold = fault === 'move leader, tell'
      return failed(ErrorCode.NOT_LEADER_OR_FOLLOWER, isTold ? leader : undefined)
    }
    if (currentLeaderEpoch < leader.leaderEpoch) return failed(ErrorCode.FENCED_LEADER_EPOCH)
    if (fault === 'unknown topic') return failed(ErrorCode.UNKNOWN_TOPIC_ID)
    if (fault === 'no storage') return failed(ErrorCode.KAFKA_STORAGE_ERROR)
    if (fetchOffset > log.endOffset) return failed(ErrorCode.OFFSET_OUT_OF_RANGE)
    const isThere = this.preferredReplica >= 0 && fetchOffset <= this.preferredReplicaEnd
    if (isThere && !isReplica) {
      return {
        ...{ partitionIndex: partition, errorCode: 0, highWatermark: log.endOffset },
        ...{ preferredReadReplica: this.preferredReplica, records: Buffer.alloc(0) },
      }
    }
    const bytes = maxBytes > 0 ? Math.min(maxBytes, partitionMaxBytes) : -1
    return {
      ...{ partitionIndex: partition, errorCode: 0, highWatermark: log.endOffset },
      lastStableOffset: log.lastStableOffset,
      abortedTransactions: isReadCommitted ? log.abortedFrom(fetchOffset) : null,
      records: bytes < 0 ? Buffer.alloc(0) : log.read(fetchOffset, bytes, isReadCommitted),
    }
  }
}

function refused(errorCode: number): Answer {
  return answer(Fetch, { errorCode, sessionId: 0, responses: [] })
}
