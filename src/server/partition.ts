/**
 * One partition as this broker has it: its log, and its place in the cluster (leader, leader epoch,
 * in-sync replicas, high watermark). Everything that depends on "am I the leader, and what is
 * committed?" is decided here; the log below knows nothing of other replicas.
 *
 * The offsets of a leader, by example. Three replicas, all in sync; the followers have fetched up
 * to 7 and 9:
 *
 * ```
 *   offset   0 1 2 3 4 5 6 7 8 9
 *   log      x x x x x x x x x x        log end offset 10
 *                          ^            high watermark 7: all in-sync replicas have what is below
 * ```
 * A consumer reads up to the high watermark, a follower up to the log end. With an ISR of one, the
 * leader itself, the high watermark follows the log end at once.
 */

import { KafkaError } from '../common/errors.ts'
import type { Lease } from '../common/slab.ts'
import type { LogAppendInfo, PartitionLog } from '../storage/partition-log.ts'
import { NO_LEADER } from './metadata-cache.ts'
import {
  type TransactionalBatch,
  type TransactionGuard,
  TransactionGuards,
  transactionalBatchIn,
} from './transaction/transaction-guards.ts'

/** A partition's state as the controller decided it (one entry of Kafka's LeaderAndIsr request). */
export interface LeaderAndIsr {
  readonly topic: string
  readonly topicId: string
  readonly partitionIndex: number
  readonly controllerEpoch: number
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
  readonly replicas: readonly number[]
  /** Raised with each change of the ISR under one leader. */
  readonly partitionEpoch: number
  /** The partition has never had data, so a replica may be created for it. */
  readonly isNew: boolean
}

export interface AppendOptions {
  /** -1 (all in-sync replicas), 0 or 1. */
  readonly requiredAcks: number
  readonly origin: 'client' | 'coordinator'
  /** Keeps the memory of the records alive. */
  readonly lease: Lease
}

/** How far a fetch may read. */
export type FetchIsolation = 'log-end' | 'high-watermark' | 'committed'

export class Partition {
  readonly topic: string
  readonly topicId: string
  readonly partitionIndex: number
  #log: PartitionLog
  readonly #brokerId: number
  readonly #minInsyncReplicas: () => number
  readonly #verifiesTransactions: () => boolean
  readonly #guards = new TransactionGuards()
  #state: LeaderAndIsr
  /** Where each follower's log ends, as its last fetch said. */
  readonly #followerEndOffsets = new Map<number, number>()
  #offline: KafkaError | undefined
  /** Nothing can be appended for a moment: see ReplicaManager.moveLog. */
  isExchangingLog = false

  constructor(options: {
    brokerId: number
    log: PartitionLog
    state: LeaderAndIsr
    /** `min.insync.replicas` of the topic, as of now. */
    minInsyncReplicas: () => number
    /** `transaction.partition.verification.enable`, as of now. */
    verifiesTransactions: () => boolean
  }) {
    this.topic = options.state.topic
    this.topicId = options.state.topicId
    this.partitionIndex = options.state.partitionIndex
    this.#log = options.log
    this.#brokerId = options.brokerId
    this.#minInsyncReplicas = options.minInsyncReplicas
    this.#verifiesTransactions = options.verifiesTransactions
    this.#state = options.state
    this.#becomeWhatStateSays()
  }

  /** Its log; another one after `replaceLog`. */
  get log(): PartitionLog {
    return this.#log
  }

  /** Goes on with another log that has the same records: the log has moved. */
  replaceLog(log: PartitionLog): void {
    this.#log = log
    if (this.isLeader) log.beginEpoch(this.#state.leaderEpoch)
  }

  get name(): string {
    return `${this.topic}-${this.partitionIndex}`
  }

  get leaderEpoch(): number {
    return this.#state.leaderEpoch
  }

  get isLeader(): boolean {
    return this.#state.leader === this.#brokerId
  }

  get isr(): readonly number[] {
    return this.#state.isr
  }

  /** All records below it are on every in-sync replica. Consumers read up to it. */
  get highWatermark(): number {
    return this.log.highWatermark
  }

  /** All records below it belong to no open transaction. Never above the high watermark. */
  get lastStableOffset(): number {
    return this.log.lastStableOffset
  }

  /**
   * Takes over what the controller decided. Returns false for a decision older than the known one.
   */
  applyState(state: LeaderAndIsr): boolean {
    if (state.leaderEpoch < this.#state.leaderEpoch) return false
    if (
      state.leaderEpoch === this.#state.leaderEpoch &&
      state.partitionEpoch < this.#state.partitionEpoch
    ) {
      return false
    }
    const leaderChanged = state.leaderEpoch !== this.#state.leaderEpoch
    this.#state = state
    if (leaderChanged) this.#becomeWhatStateSays()
    this.maybeAdvanceHighWatermark()
    return true
  }

  /** Puts the partition out of use: its log's disk has failed. */
  takeOffline(reason: KafkaError): void {
    this.#offline = reason
  }

  /**
   * What keeps this broker from answering as the leader, in the epoch the client believes in
   * (-1: any); undefined if nothing does.
   */
  leadershipError(clientLeaderEpoch: number): KafkaError | undefined {
    if (this.#offline !== undefined) return this.#offline
    const { leaderEpoch } = this.#state
    if (clientLeaderEpoch !== -1 && clientLeaderEpoch !== leaderEpoch) {
      const isStale = clientLeaderEpoch < leaderEpoch
      return new KafkaError(isStale ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH')
    }
    return this.isLeader ? undefined : new KafkaError('NOT_LEADER_OR_FOLLOWER')
  }

  /** Throws the `leadershipError`, if there is one. */
  checkLeader(clientLeaderEpoch: number): void {
    const error = this.leadershipError(clientLeaderEpoch)
    if (error !== undefined) throw error
  }

  /**
   * Checks records and stages them for the log. They are readable, and may be acknowledged, only
   * after `commit`. A client's batch needs a guard to be the first of a transaction here. Throws
   * KafkaError.
   */
  appendAsLeader(records: Buffer, options: AppendOptions, guard?: TransactionGuard): LogAppendInfo {
    this.checkLeader(-1)
    if (this.isExchangingLog) {
      throw new KafkaError('NOT_ENOUGH_REPLICAS', `The log of ${this.name} is being moved`)
    }
    if (options.requiredAcks === -1) this.#checkInsyncReplicas()
    const batch = transactionalBatchIn(records)
    if (batch !== undefined && options.origin === 'client') this.checkGuard(batch, guard)
    const info = this.log.append(records, {
      leaderEpoch: this.#state.leaderEpoch,
      origin: options.origin,
      lease: options.lease,
    })
    if (batch !== undefined) this.#guards.end(batch.producerId)
    return info
  }

  /**
   * What the coordinator must be asked about before a transactional batch may be appended;
   * undefined where the producer's transaction is open here already, or nobody wants to know.
   */
  beginVerification(
    batch: TransactionalBatch,
    startsAtZero: boolean,
    nowMs: number,
  ): TransactionGuard | undefined {
    if (!this.#verifiesTransactions() || this.#hasOpenTransaction(batch)) return undefined
    return this.#guards.begin(batch, startsAtZero, nowMs)
  }

  /** Throws KafkaError unless a batch may be appended with this guard: see TransactionGuards. */
  checkGuard(batch: TransactionalBatch, guard: TransactionGuard | undefined): void {
    if (this.#hasOpenTransaction(batch) || !this.#verifiesTransactions()) return
    this.#guards.check(batch, guard)
  }

  #hasOpenTransaction({ producerId, producerEpoch }: TransactionalBatch): boolean {
    const producer = this.log.producer(producerId)
    if (producer === undefined || producer.currentTxnFirstOffset < 0) return false
    return producer.producerEpoch === producerEpoch
  }

  /**
   * Writes what is staged. Returns a promise where it must also be made durable before it may be
   * acknowledged (`flush.messages`). Throws, or rejects with, KafkaError.
   */
  commit(): Promise<void> | undefined {
    return this.log.commit()
  }

  /** Takes note of how far a follower has come. Returns true if the high watermark rose. */
  updateFollower(replicaId: number, endOffset: number): boolean {
    this.#followerEndOffsets.set(replicaId, endOffset)
    return this.maybeAdvanceHighWatermark()
  }

  /** Raises the high watermark to what all in-sync replicas have. Returns true if it rose. */
  maybeAdvanceHighWatermark(): boolean {
    if (!this.isLeader) return false
    let committed = this.log.logEndOffset
    for (const replica of this.#state.isr) {
      if (replica === this.#brokerId) continue
      committed = Math.min(committed, this.#followerEndOffsets.get(replica) ?? -1)
    }
    if (committed <= this.log.highWatermark) return false
    this.log.highWatermark = committed
    return true
  }

  /** The first offset that a fetch of this kind may not read. */
  readableEnd(isolation: FetchIsolation): number {
    if (isolation === 'log-end') return this.log.logEndOffset
    return isolation === 'committed' ? this.lastStableOffset : this.highWatermark
  }

  /** Removes what is below `offset` (-1: the high watermark). Returns the new log start offset. */
  deleteRecords(offset: number): number {
    this.checkLeader(-1)
    const before = offset === -1 ? this.highWatermark : offset
    if (before < 0) throw new KafkaError('OFFSET_OUT_OF_RANGE')
    if (!this.log.config.cleanupPolicy.includes('delete')) {
      throw new KafkaError(
        'POLICY_VIOLATION',
        `Records of partition ${this.name} can not be deleted due to the configured policy`,
      )
    }
    return this.log.deleteRecordsBefore(before)
  }

  #checkInsyncReplicas(): void {
    const required = this.#minInsyncReplicas()
    const { length } = this.#state.isr
    if (length >= required) return
    throw new KafkaError(
      'NOT_ENOUGH_REPLICAS',
      `The size of the current ISR ${length} is insufficient to satisfy the min.isr requirement ` +
        `of ${required} for partition ${this.name}`,
    )
  }

  #becomeWhatStateSays(): void {
    this.#followerEndOffsets.clear()
    this.#guards.clear()
    if (this.#state.leader === NO_LEADER || !this.isLeader) return
    this.log.beginEpoch(this.#state.leaderEpoch)
    this.maybeAdvanceHighWatermark()
  }
}
