/**
 * A client's side of a fetch session with one broker (KIP-227): the broker remembers what is
 * fetched, and a request says only what has changed since the one before.
 *
 * ```
 * full request (epoch 0) ─► answer with a session id ─► incremental requests (epoch 1, 2, …)
 *          ▲                                                  │ an error, or no answer
 *          └──────────────────────────────────────────────────┘ (the old session is closed by it)
 * ```
 * A broker that gives no session id gets a full request each time.
 */
import type { Fetch } from '../../protocol/messages/fetch.ts'
import type { RequestInput } from '../../protocol/schema.ts'
import { byTopic } from '../topic-partition.ts'

const INITIAL_EPOCH = 0
const MAX_EPOCH = 0x7fff_ffff

/** What is fetched from one partition. */
export interface PartitionFetch {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  /** Of the partition. */
  readonly name: string
  readonly fetchOffset: number
  readonly leaderEpoch: number
}

type SessionFields = Pick<
  RequestInput<typeof Fetch>,
  'sessionId' | 'sessionEpoch' | 'topics' | 'forgottenTopicsData'
>

export class FetchSession {
  readonly #maxBytes: number
  #id = 0
  #epoch = INITIAL_EPOCH
  /** What the broker knows, by the names of the partitions. */
  #known = new Map<string, PartitionFetch>()

  /** `maxBytes` are those of one partition in an answer. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get isFull(): boolean {
    return this.#epoch === INITIAL_EPOCH
  }

  /** The request that has exactly `wanted` fetched. To be followed by `answered` or `reset`. */
  request(wanted: readonly PartitionFetch[]): SessionFields {
    const changed: PartitionFetch[] = []
    const gone: PartitionFetch[] = []
    const next = new Map<string, PartitionFetch>()
    for (const fetch of wanted) {
      const known = this.isFull ? undefined : this.#known.get(fetch.name)
      if (known === undefined || !isSame(known, fetch)) changed.push(fetch)
      // A topic that was made anew has another id: the old one has to be forgotten by its own.
      if (known !== undefined && known.topicId !== fetch.topicId) gone.push(known)
      next.set(fetch.name, fetch)
    }
    if (!this.isFull) {
      for (const [name, known] of this.#known) if (!next.has(name)) gone.push(known)
    }
    this.#known = next
    return {
      sessionId: this.#id,
      sessionEpoch: this.#epoch,
      topics: byTopic(changed).map(([topic, all]) => ({
        topic,
        topicId: all[0]!.topicId,
        partitions: all.map((fetch) => this.#partition(fetch)),
      })),
      forgottenTopicsData: byTopic(gone).map(([topic, all]) => ({
        topic,
        topicId: all[0]!.topicId,
        partitions: all.map(({ partition }) => partition),
      })),
    }
  }

  /** An answer without an error came, with this session id. */
  answered(sessionId: number): void {
    if (sessionId === 0) {
      this.#id = 0
      this.#epoch = INITIAL_EPOCH
      return
    }
    this.#id = sessionId
    this.#epoch = this.#epoch === MAX_EPOCH ? 1 : this.#epoch + 1
  }

  /** There is no telling what the broker remembers: the next request is a full one. */
  reset(): void {
    this.#epoch = INITIAL_EPOCH
  }

  #partition({ partition, fetchOffset, leaderEpoch }: PartitionFetch) {
    return {
      partition,
      currentLeaderEpoch: leaderEpoch,
      fetchOffset,
      lastFetchedEpoch: -1,
      logStartOffset: -1,
      partitionMaxBytes: this.#maxBytes,
    }
  }
}

function isSame(a: PartitionFetch, b: PartitionFetch): boolean {
  return (
    a.fetchOffset === b.fetchOffset && a.leaderEpoch === b.leaderEpoch && a.topicId === b.topicId
  )
}
