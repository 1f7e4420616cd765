/**
 * All partitions that this broker has a replica of, and the two things done with them: appending
 * and fetching.
 *
 * An append is staged first and committed after the current event: all records that one socket read
 * brought, for whichever connection's requests, are written with one system call per partition.
 * Only then are they readable and acknowledged.
 */
import type { Clock } from '../common/clock.ts'
import { Completion } from '../common/completion.ts'
import { ErrorCode, errorName, KafkaError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import { garbageCollected, type Lease } from '../common/slab.ts'
import type { LogManager } from '../storage/log-manager.ts'
import { type RecordError, RecordValidationError } from '../storage/log-validator.ts'
import type { LogAppendInfo, PartitionLog } from '../storage/partition-log.ts'
import type { ConfigRepository } from './config-repository.ts'
import { type FetchParams, type FetchResult, fetchRecords } from './fetch-records.ts'
import { type LeaderAndIsr, Partition } from './partition.ts'
import { DelayedFetch } from './purgatory/delayed-fetch.ts'
import { DelayedProduce } from './purgatory/delayed-produce.ts'
import { Purgatory } from './purgatory/purgatory.ts'
import { ReadBudget } from './read-budget.ts'
import type { TransactionGuard } from './transaction/transaction-guards.ts'

export interface AppendRequest {
  /** -1 (all in-sync replicas), 0 or 1. */
  readonly requiredAcks: number
  /** How long acks=-1 may wait for the replicas. */
  readonly timeoutMs: number
  readonly origin: 'client' | 'coordinator'
  readonly lease: Lease
  readonly entries: readonly AppendEntry[]
}

/** One batch for one partition. */
export interface AppendEntry {
  readonly topic: string
  readonly partitionIndex: number
  readonly records: Buffer
  /** Whether it may begin a transaction; an error where it is refused for that. */
  readonly verification?: TransactionGuard | KafkaError | undefined
}

/** What became of one entry of an append, in the order of the entries. */
export interface AppendResult {
  errorCode: number
  errorMessage: string | null
  /** The records because of which a batch was refused. */
  recordErrors: readonly RecordError[]
  /** Undefined where the error came before anything was appended. */
  partition: Partition | undefined
  info: LogAppendInfo | undefined
  /** The high watermark at which acks=-1 is satisfied. */
  requiredOffset: number
}

/** Memory for what is read from disk and not sent yet. */
const READ_BUDGET_BYTES = 64 * 1024 * 1024

interface StagedAppend {
  /** Held until the commit: the next read of the socket comes before it. */
  readonly lease: Lease
  readonly requiredAcks: number
  readonly timeoutMs: number
  readonly results: AppendResult[]
  readonly completion: Completion<readonly AppendResult[]>
}

/** Told when this broker begins to lead a partition (again, in a new epoch), or no longer does. */
export type LeadershipListener = (partition: Partition, isLeader: boolean) => void

export class ReplicaManager {
  readonly #brokerId: number
  readonly #logManager: LogManager
  readonly #configs: ConfigRepository
  readonly #log: Logger
  readonly #partitions = new Map<string, Map<number, Partition>>()
  readonly #producePurgatory: Purgatory<Partition>
  readonly #fetchPurgatory: Purgatory<Partition>
  readonly #readBudget = new ReadBudget(READ_BUDGET_BYTES)
  /** Partitions that are assigned to this broker, and whose log could not be opened. */
  readonly #notHosted = new Set<string>()
  readonly #leadershipListeners: LeadershipListener[] = []
  readonly #wakeListeners: ((partition: Partition) => void)[] = []
  /** A log is being exchanged for another; what is to be appended waits until this resolves. */
  #exchange: Promise<unknown> | undefined
  #staged: StagedAppend[] = []
  #stagedPartitions = new Set<Partition>()

  constructor(options: {
    brokerId: number
    clock: Clock
    logManager: LogManager
    configs: ConfigRepository
    log: Logger
  }) {
    this.#brokerId = options.brokerId
    this.#logManager = options.logManager
    this.#configs = options.configs
    this.#log = options.log
    this.#producePurgatory = new Purgatory(options.clock)
    this.#fetchPurgatory = new Purgatory(options.clock)
  }

  onLeadershipChange(listener: LeadershipListener): void {
    this.#leadershipListeners.push(listener)
  }

  /** Calls `listener` whenever there may be more to read, or another leader. */
  onWake(listener: (partition: Partition) => void): void {
    this.#wakeListeners.push(listener)
  }

  /** The partition, or undefined where this broker has no replica of it. */
  partition(topic: string, partitionIndex: number): Partition | undefined {
    return this.#partitions.get(topic)?.get(partitionIndex)
  }

  *partitions(): Generator<Partition> {
    for (const ofTopic of this.#partitions.values()) yield* ofTopic.values()
  }

  /**
   * The partition, for a request that looks at its records: a client that reads behind its own
   * produce on one connection must find what it produced, so what is staged is committed first.
   * Throws UNKNOWN_TOPIC_OR_PARTITION.
   */
  partitionToRead(topic: string, partitionIndex: number): Partition {
    this.#commitStaged()
    return this.#require(topic, partitionIndex)
  }

  #require(topic: string, partitionIndex: number): Partition {
    const partition = this.partition(topic, partitionIndex)
    if (partition !== undefined) return partition
    const isOurs = this.#notHosted.has(nameOf(topic, partitionIndex))
    throw new KafkaError(isOurs ? 'KAFKA_STORAGE_ERROR' : 'UNKNOWN_TOPIC_OR_PARTITION')
  }

  /** Bytes read from disk that clients have not taken yet, or are about to be. */
  get unsentDiskBytes(): number {
    return this.#readBudget.usedBytes
  }

  /** Appends to each entry's partition; completes when the acks asked for have been reached. */
  append(request: AppendRequest): Completion<readonly AppendResult[]> {
    if (this.#exchange !== undefined) return this.#appendAfter(this.#exchange, request)
    const results = request.entries.map((entry) => this.#stage(request, entry))
    return this.#commitLater(request, results)
  }

  /**
   * Appends when an exchange has ended. All requests wait for it, so that none overtakes another.
   */
  #appendAfter(
    exchange: Promise<unknown>,
    request: AppendRequest,
  ): Completion<readonly AppendResult[]> {
    const completion = new Completion<readonly AppendResult[]>()
    request.lease.retain()
    const append = () => {
      this.append(request).onComplete((results) => completion.complete(results))
      request.lease.release()
    }
    exchange.then(append, append)
    return completion
  }

  /**
   * Begins to move a partition's log to another log directory of this broker. It can be read and
   * written meanwhile. Throws LOG_DIR_NOT_FOUND, KAFKA_STORAGE_ERROR, UNKNOWN_TOPIC_OR_PARTITION.
   */
  async moveLog(topic: string, partitionIndex: number, path: string): Promise<void> {
    await this.#logManager.move(topic, partitionIndex, path, async (makeLog) => {
      while (this.#exchange !== undefined) await this.#exchange.catch(() => {})
      const partition = this.#require(topic, partitionIndex)
      this.#commitStaged()
      partition.isExchangingLog = true
      this.#exchange = makeLog()
        .then((log) => partition.replaceLog(log))
        .finally(() => {
          partition.isExchangingLog = false
          this.#exchange = undefined
        })
      await this.#exchange
      this.#wake(partition)
    })
  }

  /**
   * Appends a batch of a coordinator, with acks=all. Throws the KafkaError with which it is
   * refused; returns the offsets it has got, and what becomes of it.
   */
  appendAsCoordinator(
    entry: AppendEntry,
    timeoutMs: number,
  ): { info: LogAppendInfo; outcome: Completion<readonly AppendResult[]> } {
    const lease = garbageCollected(entry.records)
    const request = { requiredAcks: -1, timeoutMs, origin: 'coordinator', lease } as const
    const result = this.#stage({ ...request, entries: [entry] }, entry)
    if (result.info === undefined) {
      throw new KafkaError(errorName(result.errorCode), result.errorMessage ?? undefined)
    }
    return { info: result.info, outcome: this.#commitLater(request, [result]) }
  }

  #commitLater(
    { requiredAcks, timeoutMs, lease }: Omit<AppendRequest, 'entries'>,
    results: AppendResult[],
  ): Completion<readonly AppendResult[]> {
    const completion = new Completion<readonly AppendResult[]>()
    if (this.#staged.length === 0) queueMicrotask(() => this.#commitStaged())
    lease.retain()
    this.#staged.push({ lease, requiredAcks, timeoutMs, results, completion })
    return completion
  }

  /** Reads from each partition of `params`, waiting for `minBytes` as long as it says. */
  fetch(params: FetchParams): Completion<FetchResult> {
    this.#commitStaged()
    const completion = new Completion<FetchResult>()
    this.#noteFollower(params)
    const answer = (result: FetchResult) => {
      completion.complete(result)
    }
    const first = fetchRecords(this, params, this.#readBudget)
    if (first instanceof Promise)
      void first.then((result) => this.#answerOrWait(params, result, answer))
    else this.#answerOrWait(params, first, answer)
    return completion
  }

  /**
   * Takes over the controller's decisions about partitions of which this broker is a replica. Logs
   * are created where they are missing. Returns an error code for each, in order.
   */
  async applyLeaderAndIsr(states: readonly LeaderAndIsr[]): Promise<number[]> {
    const codes: number[] = []
    for (const state of states) {
      try {
        await this.#applyState(state)
        this.#notHosted.delete(nameOf(state.topic, state.partitionIndex))
        codes.push(ErrorCode.NONE)
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        const name = nameOf(state.topic, state.partitionIndex)
        this.#log.error(`could not host ${name}`, error)
        if (error.errorName === 'KAFKA_STORAGE_ERROR') this.#notHosted.add(name)
        codes.push(error.code)
      }
    }
    return codes
  }

  /** Stops hosting a partition, and deletes its data where `deleteLog` says so. */
  async stopReplica(topic: string, partitionIndex: number, deleteLog: boolean): Promise<void> {
    this.#notHosted.delete(nameOf(topic, partitionIndex))
    const ofTopic = this.#partitions.get(topic)
    const partition = ofTopic?.get(partitionIndex)
    if (partition !== undefined) {
      partition.takeOffline(new KafkaError('UNKNOWN_TOPIC_OR_PARTITION'))
      this.#tellLeadership(partition, false)
      ofTopic!.delete(partitionIndex)
      if (ofTopic!.size === 0) this.#partitions.delete(topic)
      this.#wake(partition)
    }
    if (deleteLog) await this.#logManager.delete(topic, partitionIndex)
  }

  /** Puts the partitions whose logs lie in a failed folder out of use. */
  logDirectoryFailed(logs: readonly PartitionLog[]): void {
    const failed = new Set(logs)
    for (const partition of this.partitions()) {
      if (!failed.has(partition.log)) continue
      partition.takeOffline(new KafkaError('KAFKA_STORAGE_ERROR'))
      this.#tellLeadership(partition, false)
      this.#wake(partition)
    }
  }

  /** Answers everything that waits, so that connections can be closed. */
  shutDown(): void {
    this.#commitStaged()
    this.#producePurgatory.expireAll()
    this.#fetchPurgatory.expireAll()
  }

  #stage(
    request: AppendRequest,
    { topic, partitionIndex, records, verification }: AppendEntry,
  ): AppendResult {
    try {
      if (verification instanceof KafkaError) throw verification
      const partition = this.#require(topic, partitionIndex)
      const info = partition.appendAsLeader(records, request, verification)
      this.#stagedPartitions.add(partition)
      return { ...ACCEPTED, partition, info, requiredOffset: info.lastOffset + 1 }
    } catch (error) {
      return failedAppend(error)
    }
  }

  #commitStaged(): void {
    const staged = this.#staged
    if (staged.length === 0) return
    const partitions = this.#stagedPartitions
    this.#staged = []
    this.#stagedPartitions = new Set()
    const flushes: Promise<void>[] = []
    for (const partition of partitions) {
      const flush = this.#commit(partition, staged)
      if (flush !== undefined) flushes.push(flush)
    }
    for (const { lease } of staged) lease.release()
    if (flushes.length === 0) this.#acknowledge(staged)
    else void Promise.all(flushes).then(() => this.#acknowledge(staged))
  }

  /** Commits one partition. A failure becomes the outcome of what was staged for it. */
  #commit(partition: Partition, staged: readonly StagedAppend[]): Promise<void> | undefined {
    const fail = (error: unknown) => {
      const failed = failedAppend(error)
      for (const result of staged.flatMap((append) => append.results)) {
        if (result.partition === partition) Object.assign(result, failed)
      }
    }
    try {
      const flush = partition.commit()
      if (partition.maybeAdvanceHighWatermark()) this.#wake(partition)
      return flush?.catch(fail)
    } catch (error) {
      fail(error)
      return undefined
    }
  }

  #acknowledge(staged: readonly StagedAppend[]): void {
    for (const append of staged) {
      if (append.requiredAcks === -1) {
        const operation = new DelayedProduce(append.results, append.completion)
        this.#producePurgatory.tryOrWait(operation, partitionsOf(append), append.timeoutMs)
      } else {
        append.completion.complete(append.results)
      }
    }
  }

  #answerOrWait(
    params: FetchParams,
    first: FetchResult,
    answer: (result: FetchResult) => void,
  ): void {
    if (first.sizeInBytes >= params.minBytes || first.mustAnswer || params.maxWaitMs <= 0) {
      answer(first)
      return
    }
    first.release()
    const partitions = params.partitions
      .map((wanted) => this.partition(wanted.topic, wanted.partitionIndex))
      .filter((partition) => partition !== undefined)
    const operation = new DelayedFetch(
      () => this.#availableBytes(params) >= params.minBytes,
      () => {
        const result = fetchRecords(this, params, this.#readBudget)
        if (result instanceof Promise) void result.then(answer)
        else answer(result)
      },
    )
    this.#fetchPurgatory.tryOrWait(operation, partitions, params.maxWaitMs)
  }

  /** About how many bytes a fetch would give now; infinite where there is an error to report. */
  #availableBytes(params: FetchParams): number {
    let available = 0
    for (const wanted of params.partitions) {
      const partition = this.partition(wanted.topic, wanted.partitionIndex)
      if (partition === undefined) return Number.POSITIVE_INFINITY
      const error = partition.leadershipError(wanted.currentLeaderEpoch)
      if (error !== undefined) return Number.POSITIVE_INFINITY
      const end = partition.readableEnd(params.isolation)
      if (end <= wanted.fetchOffset) continue
      available += partition.log.sizeBetween(wanted.fetchOffset, end, wanted.maxBytes)
      if (available >= params.minBytes) break
    }
    return available
  }

  #noteFollower(params: FetchParams): void {
    if (params.replicaId < 0) return
    for (const wanted of params.partitions) {
      const partition = this.partition(wanted.topic, wanted.partitionIndex)
      if (partition?.updateFollower(params.replicaId, wanted.fetchOffset)) this.#wake(partition)
    }
  }

  async #applyState(state: LeaderAndIsr): Promise<void> {
    const { topic, partitionIndex } = state
    const known = this.partition(topic, partitionIndex)
    if (known?.topicId === state.topicId) {
      const { leaderEpoch } = known
      if (!known.applyState(state)) throw new KafkaError('STALE_CONTROLLER_EPOCH')
      this.#wake(known)
      if (known.leaderEpoch !== leaderEpoch) this.#tellLeadership(known, known.isLeader)
      return
    }
    // A folder of an earlier topic of this name is not this topic's data.
    const { topicId, isNew } = state
    const log = await this.#logManager.getOrCreate(topic, partitionIndex, topicId, isNew)
    const partition = new Partition({
      brokerId: this.#brokerId,
      log,
      state,
      minInsyncReplicas: () => this.#configs.topic(topic).get('min.insync.replicas'),
      verifiesTransactions: () =>
        this.#configs.broker.get('transaction.partition.verification.enable'),
    })
    const ofTopic = this.#partitions.get(topic)
    if (ofTopic === undefined) this.#partitions.set(topic, new Map([[partitionIndex, partition]]))
    else ofTopic.set(partitionIndex, partition)
    this.#tellLeadership(partition, partition.isLeader)
  }

  #tellLeadership(partition: Partition, isLeader: boolean): void {
    for (const listener of this.#leadershipListeners) listener(partition, isLeader)
  }

  #wake(partition: Partition): void {
    this.#producePurgatory.check(partition)
    this.#fetchPurgatory.check(partition)
    for (const listener of this.#wakeListeners) listener(partition)
  }
}

function nameOf(topic: string, partitionIndex: number): string {
  return `${topic}-${partitionIndex}`
}

const ACCEPTED = {
  errorCode: ErrorCode.NONE as number,
  errorMessage: null,
  recordErrors: [] as readonly RecordError[],
}

function failedAppend(error: unknown): AppendResult {
  if (!(error instanceof KafkaError)) throw error
  return {
    errorCode: error.code,
    errorMessage: error.message,
    recordErrors: error instanceof RecordValidationError ? error.recordErrors : [],
    partition: undefined,
    info: undefined,
    requiredOffset: -1,
  }
}

function partitionsOf(append: StagedAppend): Partition[] {
  return append.results.flatMap((result) => (result.partition ? [result.partition] : []))
}
