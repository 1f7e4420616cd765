/** A member of a classic group: what it said when it joined, and what it waits for. */
import type { Completion } from '../../../common/completion.ts'
import type { JoinGroup } from '../../../protocol/messages/join-group.ts'
import type { SyncGroup } from '../../../protocol/messages/sync-group.ts'
import type { ResponseInput } from '../../../protocol/schema.ts'

export type JoinResponse = ResponseInput<typeof JoinGroup>
export type SyncResponse = ResponseInput<typeof SyncGroup>

/** An assignor that a member knows, and what the member tells the group's leader for it. */
export interface MemberProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface ClassicMemberOptions {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly protocols: readonly MemberProtocol[]
  readonly assignment?: Buffer
}

const NO_BYTES = Buffer.alloc(0)

export class ClassicMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  clientId: string
  clientHost: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  /** The best first. */
  protocols: readonly MemberProtocol[]
  assignment: Buffer
  /** Has joined in the rebalance under way, and waits for the others. */
  awaitingJoin: Completion<JoinResponse> | undefined
  /** Waits for the leader's assignment. */
  awaitingSync: Completion<SyncResponse> | undefined
  /** Its first JoinGroup has not been answered: it cannot send heartbeats yet. */
  isNew = false

  constructor(options: ClassicMemberOptions) {
    this.memberId = options.memberId
    this.groupInstanceId = options.groupInstanceId
    this.clientId = options.clientId
    this.clientHost = options.clientHost
    this.rebalanceTimeoutMs = options.rebalanceTimeoutMs
    this.sessionTimeoutMs = options.sessionTimeoutMs
    this.protocols = options.protocols
    this.assignment = options.assignment ?? NO_BYTES
  }

  /** Whether a request of it waits here, which shows that it lives. */
  get isWaiting(): boolean {
    return !this.isNew && (this.awaitingJoin !== undefined || this.awaitingSync !== undefined)
  }

  metadata(protocolName: string): Buffer {
    return this.protocols.find(({ name }) => name === protocolName)?.metadata ?? NO_BYTES
  }

  /** Whether it says nothing new with these protocols. */
  matches(protocols: readonly MemberProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, i) => {
        const own = this.protocols[i]!
        return own.name === name && own.metadata.equals(metadata)
      })
    )
  }

  /** Its favourite among `candidates`. */
  vote(candidates: ReadonlySet<string>): string {
    const favourite = this.protocols.find(({ name }) => candidates.has(name))
    if (favourite === undefined) throw new Error(`${this.memberId} supports no common protocol`)
    return favourite.name
  }
}
