/**
 * Share sessions (KIP-932): what a member of a share group fetches from this broker. They are like
 * the sessions of Fetch, but there is always one, known by group and member, and it ends with its
 * connection: what the member has acquired is then free for others at once.
 *
 * ```
 * epoch 0     opens a session (in place of an earlier one of the member); no acknowledgements yet
 * epoch n     the n-th request of it; of ShareFetch and ShareAcknowledge alike
 * epoch -1    closes it
 * ```
 */
import { KafkaError } from '../../common/errors.ts'
import type { ServerConnection } from '../../network/server-connection.ts'
import type { ShareFetchRequest } from '../../protocol/messages/share-fetch.ts'

export interface SessionPartition {
  readonly topicId: string
  readonly partition: number
}

interface ShareSession {
  readonly groupId: string
  readonly memberId: string
  readonly connection: ServerConnection
  /** What the next request must have. */
  epoch: number
  /** In the order in which they were added. */
  readonly partitions: Map<string, SessionPartition>
}

export interface ShareSessionsOptions {
  /** `group.share.max.share.sessions` */
  readonly maxSessions: () => number
  /** A session has ended. */
  readonly onEnd: (
    session: { readonly groupId: string; readonly memberId: string },
    partitions: readonly SessionPartition[],
  ) => void
}

const INITIAL_EPOCH = 0
export const FINAL_EPOCH = -1
const MAX_INT32 = 0x7fff_ffff

export class ShareSessions {
  readonly #options: ShareSessionsOptions
  readonly #sessions = new Map<string, ShareSession>()
  readonly #byConnection = new Map<ServerConnection, Set<ShareSession>>()

  constructor(options: ShareSessionsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Whether a member of the group has a session. */
  hasGroup(groupId: string): boolean {
    return [...this.#sessions.values()].some((session) => session.groupId === groupId)
  }

  /**
   * What a ShareFetch is to read: all partitions of its session, after the changes that it makes to
   * it; nothing where it closes the session. Throws SHARE_SESSION_NOT_FOUND,
   * INVALID_SHARE_SESSION_EPOCH, SHARE_SESSION_LIMIT_REACHED, INVALID_REQUEST.
   */
  fetch(
    request: ShareFetchRequest & { readonly groupId: string; readonly memberId: string },
    connection: ServerConnection,
  ): readonly SessionPartition[] {
    const { groupId, memberId, shareSessionEpoch, topics, forgottenTopicsData } = request
    if (shareSessionEpoch === INITIAL_EPOCH) return this.#open(request, connection)
    const session = this.#require(groupId, memberId, shareSessionEpoch)
    if (shareSessionEpoch === FINAL_EPOCH) return []
    for (const { topicId, partitions } of topics) {
      for (const { partitionIndex: partition } of partitions) add(session, { topicId, partition })
    }
    for (const { topicId, partitions } of forgottenTopicsData) {
      for (const partition of partitions) session.partitions.delete(`${topicId}:${partition}`)
    }
    advance(session)
    return [...session.partitions.values()]
  }

  /** Notes a ShareAcknowledge. Throws SHARE_SESSION_NOT_FOUND, INVALID_SHARE_SESSION_EPOCH. */
  acknowledge(groupId: string, memberId: string, epoch: number): void {
    if (epoch === INITIAL_EPOCH) throw new KafkaError('INVALID_SHARE_SESSION_EPOCH')
    const session = this.#require(groupId, memberId, epoch)
    if (epoch !== FINAL_EPOCH) advance(session)
  }

  /** Ends a member's session, if there is one. */
  close(groupId: string, memberId: string): void {
    const session = this.#sessions.get(keyOf(groupId, memberId))
    if (session !== undefined) this.#end(session)
  }

  #open(
    request: ShareFetchRequest & { readonly groupId: string; readonly memberId: string },
    connection: ServerConnection,
  ): readonly SessionPartition[] {
    const { groupId, memberId, topics } = request
    const hasAcknowledgements = topics.some(({ partitions }) =>
      partitions.some(({ acknowledgementBatches }) => acknowledgementBatches.length > 0),
    )
    if (hasAcknowledgements) throw new KafkaError('INVALID_REQUEST')
    this.#forget(this.#sessions.get(keyOf(groupId, memberId)))
    if (this.#sessions.size >= this.#options.maxSessions()) {
      throw new KafkaError('SHARE_SESSION_LIMIT_REACHED')
    }
    const session: ShareSession = {
      ...{ groupId, memberId, connection, epoch: 1, partitions: new Map() },
    }
    for (const { topicId, partitions } of topics) {
      for (const { partitionIndex: partition } of partitions) add(session, { topicId, partition })
    }
    this.#sessions.set(keyOf(groupId, memberId), session)
    this.#ofConnection(connection).add(session)
    return [...session.partitions.values()]
  }

  #ofConnection(connection: ServerConnection): Set<ShareSession> {
    let sessions = this.#byConnection.get(connection)
    if (sessions === undefined) {
      sessions = new Set()
      this.#byConnection.set(connection, sessions)
      connection.onClose(() => {
        for (const session of [...this.#byConnection.get(connection)!]) this.#end(session)
        this.#byConnection.delete(connection)
      })
    }
    return sessions
  }

  #require(groupId: string, memberId: string, epoch: number): ShareSession {
    const session = this.#sessions.get(keyOf(groupId, memberId))
    if (session === undefined) throw new KafkaError('SHARE_SESSION_NOT_FOUND')
    if (epoch !== FINAL_EPOCH && epoch !== session.epoch) {
      throw new KafkaError('INVALID_SHARE_SESSION_EPOCH')
    }
    return session
  }

  #forget(session: ShareSession | undefined): void {
    if (session === undefined) return
    this.#sessions.delete(keyOf(session.groupId, session.memberId))
    this.#byConnection.get(session.connection)?.delete(session)
  }

  #end(session: ShareSession): void {
    this.#forget(session)
    this.#options.onEnd(session, [...session.partitions.values()])
  }
}

function add({ partitions }: ShareSession, partition: SessionPartition): void {
  const key = `${partition.topicId}:${partition.partition}`
  if (!partitions.has(key)) partitions.set(key, partition)
}

function advance(session: ShareSession): void {
  session.epoch = session.epoch === MAX_INT32 ? 1 : session.epoch + 1
}

function keyOf(groupId: string, memberId: string): string {
  return `${memberId}:${groupId}`
}
