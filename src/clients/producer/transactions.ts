/**
 * A producer's transactions (KIP-98), in both versions of the protocol.
 *
 * ```
 * uninitialized ─init─► ready ─begin─► open ─commit, abort─► ready
 *                                       └─ an error ─► abortable ─abort─► ready
 *                                                   └► fatal
 * ```
 * In version 1 each partition is announced to the coordinator before records go to it. In version 2
 * (KIP-890, where `transaction.version` is 2) the partition's leader does that, and each end of a
 * transaction raises the epoch, so that nothing late can get into the next one.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { AddOffsetsToTxn } from '../../protocol/messages/add-offsets-to-txn.ts'
import { AddPartitionsToTxn } from '../../protocol/messages/add-partitions-to-txn.ts'
import { EndTxn } from '../../protocol/messages/end-txn.ts'
import { InitProducerId } from '../../protocol/messages/init-producer-id.ts'
import { TxnOffsetCommit } from '../../protocol/messages/txn-offset-commit.ts'
import type { CallLimits, CallOptions } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { IllegalStateError, isFatal, throwIfError } from '../errors.ts'
import { byTopic, numbersByTopic, partitionName, type TopicPartition } from '../topic-partition.ts'
import type { ProducerIdentity } from './producer-identity.ts'
import type { PartitionQueue } from './record-accumulator.ts'

/** The next record that a group is to read, committed with a transaction. */
export interface OffsetToSend extends TopicPartition {
  readonly offset: number
  readonly leaderEpoch?: number
  readonly metadata?: string
}

/** A consumer's place in its group. */
export interface ConsumerGroup {
  readonly groupId: string
  readonly generationId?: number
  readonly memberId?: string
  readonly groupInstanceId?: string | null
}

export interface TransactionsOptions {
  readonly cluster: ClusterClient
  readonly identity: ProducerIdentity
  readonly transactionalId: string
  /** After how long the coordinator aborts by itself. */
  readonly timeoutMs: number
  /** Partitions have been announced: what waits for that may be sent. */
  readonly wake: () => void
}

/** The newest versions of the APIs that do not stand for transactions of version 2. */
const VERSION_1 = { produce: 11, addPartitions: 3, endTxn: 4, offsetCommit: 4 } as const

export class Transactions {
  readonly transactionalId: string
  readonly #cluster: ClusterClient
  readonly #identity: ProducerIdentity
  readonly #timeoutMs: number
  readonly #wake: () => void
  #state: 'uninitialized' | 'ready' | 'open' | 'abortable' | 'ending' | 'fatal' = 'uninitialized'
  #error: KafkaError | undefined
  #isVersion2 = false
  /** Names of the partitions that the coordinator knows of, or is being told of. */
  readonly #added = new Set<string>()
  #toAdd: PartitionQueue[] = []
  #adding: Promise<void> | undefined
  #hasOffsets = false

  constructor(options: TransactionsOptions) {
    this.transactionalId = options.transactionalId
    this.#cluster = options.cluster
    this.#identity = options.identity
    this.#timeoutMs = options.timeoutMs
    this.#wake = options.wake
    options.identity.onLost = (error) => this.#noteError(error)
  }

  /** Why the transaction can only be aborted: nothing more is to be sent then. */
  get error(): KafkaError | undefined {
    return this.#error
  }

  /** Whether there is a transaction that can be aborted. */
  get isUnderWay(): boolean {
    return this.#state === 'open' || this.#state === 'abortable'
  }

  get maxProduceVersion(): number | undefined {
    return this.#isVersion2 ? undefined : VERSION_1.produce
  }

  /** Throws unless records may be sent: IllegalStateError, or why the transaction must end. */
  checkSend(): void {
    if (this.#state === 'open') return
    if (this.#error !== undefined) throw this.#error
    throw new IllegalStateError('Records of a transactional producer belong in a transaction')
  }

  /** Whether a partition's records may go out; if not, `wake` is called when they may. */
  admits(queue: PartitionQueue): boolean {
    const name = partitionName(queue)
    if (this.#added.has(name) && !this.#toAdd.includes(queue)) return true
    if (this.#added.has(name)) return false
    this.#added.add(name)
    if (this.#isVersion2) return true
    this.#toAdd.push(queue)
    this.#adding ??= this.#addPartitions().finally(() => {
      this.#adding = undefined
      this.#wake()
    })
    return false
  }

  /** See `Producer.initTransactions`. */
  async init(options: CallOptions): Promise<void> {
    if (this.#state !== 'uninitialized') throw this.#illegal('initTransactions')
    await this.#initProducerId(this.#cluster.limits(options))
    this.#state = 'ready'
  }

  begin(): void {
    if (this.#state === 'fatal') throw this.#error!
    if (this.#state !== 'ready') throw this.#illegal('beginTransaction')
    this.#state = 'open'
  }

  /** See `Producer.sendOffsetsToTransaction`. */
  async sendOffsets(
    offsets: Iterable<OffsetToSend>,
    group: ConsumerGroup,
    options: CallOptions,
  ): Promise<void> {
    this.checkSend()
    const limits = this.#cluster.limits(options)
    const { groupId } = group
    const topics = byTopic(offsets).map(([name, all]) => ({
      name,
      partitions: all.map(({ partition, offset, leaderEpoch = -1, metadata = '' }) => ({
        ...{ partitionIndex: partition, committedOffset: offset },
        ...{ committedLeaderEpoch: leaderEpoch, committedMetadata: metadata },
      })),
    }))
    await this.#abortableCall(async () => {
      if (!this.#isVersion2) await this.#addOffsets(groupId, limits)
      this.#hasOffsets = true
      await this.#cluster.retry(limits, async () => {
        const errorOf = ({ topics: answered }: { topics: readonly AnsweredTopic[] }) =>
          firstError(answered)
        const response = await this.#cluster.sendToCoordinator(
          ['group', groupId],
          TxnOffsetCommit,
          { ...this.#self, ...group, topics },
          limits,
          { errorOf, ...this.#versions(VERSION_1.offsetCommit) },
        )
        throwIfError(firstError(response.topics))
      })
    })
  }

  /** From now on nothing is sent. Throws where there is no transaction. */
  startAbort(): void {
    if (this.#state === 'fatal') throw this.#error!
    if (this.#state !== 'open' && this.#state !== 'abortable') {
      throw this.#illegal('abortTransaction')
    }
    this.#state = 'abortable'
  }

  /** Ends the transaction. All its records must be done. */
  async end(committed: boolean, options: CallOptions): Promise<void> {
    if (committed && this.#state !== 'open') {
      if (this.#error !== undefined) throw this.#error
      throw this.#illegal('commitTransaction')
    }
    const limits = this.#cluster.limits(options)
    await this.#adding
    const hadError = this.#error !== undefined
    this.#state = 'ending'
    try {
      if (this.#added.size > 0 || this.#hasOffsets) await this.#endTxn(committed, limits)
      if (hadError && !this.#isVersion2) await this.#initProducerId(limits)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#state = 'abortable'
      this.#noteError(error)
      throw error
    }
    this.#added.clear()
    this.#hasOffsets = false
    this.#error = undefined
    this.#state = 'ready'
  }

  get #self() {
    const { producerId, epoch } = this.#identity
    return { transactionalId: this.transactionalId, producerId, producerEpoch: epoch }
  }

  get #coordinator() {
    return ['transaction', this.transactionalId] as const
  }

  #versions(version1: number): { maxVersion?: number } {
    return this.#isVersion2 ? {} : { maxVersion: version1 }
  }

  async #initProducerId(limits: CallLimits): Promise<void> {
    await this.#cluster.retry(limits, async () => {
      const connection = await this.#cluster.coordinatorConnection(this.#coordinator, limits)
      const hasNewApis = (connection.supportedVersion(EndTxn) ?? 0) > VERSION_1.endTxn
      const level = connection.features.get('transaction.version') ?? 0
      const response = await this.#cluster.sendToCoordinator(
        this.#coordinator,
        InitProducerId,
        { ...this.#self, transactionTimeoutMs: this.#timeoutMs },
        limits,
        { errorOf },
      )
      throwIfError(response.errorCode)
      this.#isVersion2 = hasNewApis && level >= 2
      this.#identity.adopt(response.producerId, response.producerEpoch)
    })
  }

  async #addPartitions(): Promise<void> {
    // Those that come in the same turn go together.
    await undefined
    while (this.#toAdd.length > 0) {
      const adding = [...this.#toAdd]
      try {
        await this.#addToTransaction(adding)
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        this.#noteError(error)
        for (const queue of adding) this.#added.delete(partitionName(queue))
      }
      this.#toAdd = this.#toAdd.filter((queue) => !adding.includes(queue))
    }
  }

  async #addToTransaction(queues: readonly PartitionQueue[]): Promise<void> {
    const limits = this.#cluster.limits()
    const { transactionalId, producerId, producerEpoch } = this.#self
    const request = {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: numbersByTopic(queues).map(([name, partitions]) => ({ name, partitions })),
    }
    await this.#cluster.retry(limits, async () => {
      const codesOf = (response: { resultsByTopicV3AndBelow: readonly AddedTopic[] }) =>
        response.resultsByTopicV3AndBelow.flatMap(({ resultsByPartition }) =>
          resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
        )
      const response = await this.#cluster.sendToCoordinator(
        this.#coordinator,
        AddPartitionsToTxn,
        request,
        limits,
        {
          maxVersion: VERSION_1.addPartitions,
          errorOf: (found) => codesOf(found)[0] ?? ErrorCode.NONE,
        },
      )
      const isReal = (code: number) =>
        code !== ErrorCode.NONE && code !== ErrorCode.OPERATION_NOT_ATTEMPTED
      throwIfError(codesOf(response).find(isReal) ?? ErrorCode.NONE)
    })
  }

  async #addOffsets(groupId: string, limits: CallLimits): Promise<void> {
    await this.#cluster.retry(limits, async () => {
      const request = { ...this.#self, groupId }
      const to = this.#coordinator
      const options = { errorOf }
      const found = await this.#cluster.sendToCoordinator(
        to,
        AddOffsetsToTxn,
        request,
        limits,
        options,
      )
      throwIfError(found.errorCode)
    })
  }

  async #endTxn(committed: boolean, limits: CallLimits): Promise<void> {
    await this.#cluster.retry(limits, async () => {
      const response = await this.#cluster.sendToCoordinator(
        this.#coordinator,
        EndTxn,
        { ...this.#self, committed },
        limits,
        { errorOf, ...this.#versions(VERSION_1.endTxn) },
      )
      throwIfError(response.errorCode)
      // Version 2 gives the epoch of the next transaction.
      if (response.producerId >= 0)
        this.#identity.adopt(response.producerId, response.producerEpoch)
    })
  }

  async #abortableCall(call: () => Promise<void>): Promise<void> {
    try {
      await call()
    } catch (error) {
      if (error instanceof KafkaError) this.#noteError(error)
      throw error
    }
  }

  /** A transaction that has met an error can only be aborted, and with some not even that. */
  #noteError(error: KafkaError): void {
    // A partition's leader may know of a newer epoch that the coordinator gave us a moment ago:
    // whether somebody else has taken over, the coordinator will say when it is asked to abort.
    const isUncertain = error.code === ErrorCode.INVALID_PRODUCER_EPOCH && this.#state === 'open'
    if (isFatal(error) && !isUncertain) this.#state = 'fatal'
    else if (this.#state === 'open') this.#state = 'abortable'
    this.#error ??= error
  }

  #illegal(what: string): IllegalStateError {
    return new IllegalStateError(`${what} was called while the producer was ${this.#state}`)
  }
}

interface AddedTopic {
  readonly resultsByPartition: readonly { readonly partitionErrorCode: number }[]
}

interface AnsweredTopic {
  readonly partitions: readonly { readonly errorCode: number }[]
}

function errorOf({ errorCode }: { errorCode: number }): number {
  return errorCode
}

/** The first error in an answer about partitions, or NONE. */
function firstError(topics: readonly AnsweredTopic[]): number {
  const codes = topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  return codes.find((code) => code !== ErrorCode.NONE) ?? ErrorCode.NONE
}
