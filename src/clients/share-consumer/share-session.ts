/**
 * A share session as the client sees it (KIP-932): which partitions the broker knows that we want,
 * and the number of the next request. There is one for each broker, which ends with its connection;
 * what the broker had locked for us is then free for others.
 */
import { ErrorCode } from '../../common/errors.ts'
import type { ShareAcknowledge } from '../../protocol/messages/share-acknowledge.ts'
import type { ShareFetch } from '../../protocol/messages/share-fetch.ts'
import type { RequestInput } from '../../protocol/schema.ts'
import { type Acknowledgements, acknowledgementBatches, hasRenewal } from './acknowledgements.ts'

export interface PartitionId {
  readonly topicId: string
  readonly partition: number
}

/** Acknowledgements of one partition. */
export interface PartitionAcknowledgements extends PartitionId {
  readonly codes: Acknowledgements
}

/** What a fetch asks for. */
export interface FetchLimits {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxRecords: number
  readonly isRecordLimit: boolean
}

type TopicRequests = RequestInput<typeof ShareAcknowledge>['topics']

const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const MAX_INT32 = 0x7fff_ffff
/** After these the broker has no such session any more. */
const ENDED: readonly number[] = [
  ErrorCode.SHARE_SESSION_NOT_FOUND,
  ErrorCode.INVALID_SHARE_SESSION_EPOCH,
  ErrorCode.SHARE_SESSION_LIMIT_REACHED,
]

export class ShareSession {
  readonly #groupId: string
  readonly #memberId: string
  #epoch = INITIAL_EPOCH
  #partitions = new Map<string, PartitionId>()

  constructor(groupId: string, memberId: string) {
    this.#groupId = groupId
    this.#memberId = memberId
  }

  /** Whether the broker knows of the session. */
  get isOpen(): boolean {
    return this.#epoch !== INITIAL_EPOCH
  }

  /** Whether the broker has been told of just these partitions. */
  covers(wanted: readonly PartitionId[]): boolean {
    if (wanted.length !== this.#partitions.size) return false
    return wanted.every((each) => this.#partitions.has(keyOf(each)))
  }

  /**
   * A request for records of `wanted`, that also acknowledges. A session cannot begin with
   * acknowledgements: there is nothing yet that could be acknowledged.
   */
  fetchRequest(
    wanted: readonly PartitionId[],
    acknowledgements: readonly PartitionAcknowledgements[],
    limits: FetchLimits,
  ): RequestInput<typeof ShareFetch> {
    const next = new Map(wanted.map((each) => [keyOf(each), each]))
    const before = this.isOpen ? this.#partitions : new Map<string, PartitionId>()
    const added = [...next].filter(([key]) => !before.has(key)).map(([, each]) => each)
    const removed = [...before].filter(([key]) => !next.has(key)).map(([, each]) => each)
    this.#partitions = next
    const { maxWaitMs, minBytes, maxBytes, maxRecords, isRecordLimit } = limits
    return {
      ...{ groupId: this.#groupId, memberId: this.#memberId, shareSessionEpoch: this.#epoch },
      ...{ maxWaitMs, minBytes, maxBytes, maxRecords, batchSize: maxRecords },
      shareAcquireMode: isRecordLimit ? 1 : 0,
      topics: topicsOf(acknowledgements, added),
      forgottenTopicsData: [...groupByTopic(removed)].map(([topicId, all]) => {
        return { topicId, partitions: all.map(({ partition }) => partition) }
      }),
    }
  }

  /** A request that only acknowledges, and closes the session with `isFinal`. */
  acknowledgeRequest(
    acknowledgements: readonly PartitionAcknowledgements[],
    isFinal: boolean,
  ): RequestInput<typeof ShareAcknowledge> {
    return {
      ...{ groupId: this.#groupId, memberId: this.#memberId },
      shareSessionEpoch: isFinal ? FINAL_EPOCH : this.#epoch,
      isRenewAck: acknowledgements.some(({ codes }) => hasRenewal(codes)),
      topics: topicsOf(acknowledgements, []),
    }
  }

  /** The broker has answered a request, with this error for the whole of it. */
  answered(errorCode: number): void {
    if (ENDED.includes(errorCode)) this.reset()
    else this.#epoch = this.#epoch === MAX_INT32 ? 1 : this.#epoch + 1
  }

  /** The session is no more, and the next request opens another one. */
  reset(): void {
    this.#epoch = INITIAL_EPOCH
    this.#partitions = new Map()
  }
}

function topicsOf(
  acknowledgements: readonly PartitionAcknowledgements[],
  added: readonly PartitionId[],
): TopicRequests {
  const codes = new Map<string, Map<number, number>>()
  const partitions = new Map<string, PartitionId>()
  for (const each of [...acknowledgements, ...added]) {
    const key = keyOf(each)
    partitions.set(key, each)
    if (!('codes' in each)) continue
    // What was said of a partition at different times goes as one.
    const known = codes.get(key) ?? new Map<number, number>()
    for (const [offset, code] of each.codes as Acknowledgements) known.set(offset, code)
    codes.set(key, known)
  }
  return [...groupByTopic(partitions.values())].map(([topicId, all]) => ({
    topicId,
    partitions: all.map((each) => ({
      partitionIndex: each.partition,
      acknowledgementBatches: acknowledgementBatches(codes.get(keyOf(each)) ?? new Map()),
    })),
  }))
}

function groupByTopic(partitions: Iterable<PartitionId>): Map<string, PartitionId[]> {
  return Map.groupBy(partitions, ({ topicId }) => topicId)
}

function keyOf({ topicId, partition }: PartitionId): string {
  return `${topicId}:${partition}`
}
