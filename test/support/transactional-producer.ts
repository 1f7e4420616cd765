/**
 * A transactional producer for tests: of version 1 (AddPartitionsToTxn, EndTxn 3) or 2 (KIP-890).
 */
import assert from 'node:assert/strict'
import { ErrorCode } from '../../src/common/errors.ts'
import { AddOffsetsToTxn } from '../../src/protocol/messages/add-offsets-to-txn.ts'
import { AddPartitionsToTxn } from '../../src/protocol/messages/add-partitions-to-txn.ts'
import { EndTxn } from '../../src/protocol/messages/end-txn.ts'
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts'
import { InitProducerId } from '../../src/protocol/messages/init-producer-id.ts'
import { Produce } from '../../src/protocol/messages/produce.ts'
import { TxnOffsetCommit } from '../../src/protocol/messages/txn-offset-commit.ts'
import { batchOf } from './requests.ts'
import type { TestClient } from './test-client.ts'

const RETRIED: readonly number[] = [
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.NOT_ENOUGH_REPLICAS,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
]

export class TransactionalProducer {
  readonly #client: TestClient
  readonly transactionalId: string
  readonly #isVersion2: boolean
  readonly #timeoutMs: number
  producerId = -1
  producerEpoch = -1
  /** The next sequence of each partition. */
  #sequences = new Map<string, number>()

  constructor(
    client: TestClient,
    transactionalId: string,
    options: { version2?: boolean; timeoutMs?: number } = {},
  ) {
    this.#client = client
    this.transactionalId = transactionalId
    this.#isVersion2 = options.version2 ?? false
    this.#timeoutMs = options.timeoutMs ?? 60_000
  }

  get #identity() {
    const { transactionalId, producerId, producerEpoch } = this
    return { transactionalId, producerId, producerEpoch }
  }

  /** Finds the coordinator and gets the id; retries while an older transaction is being ended. */
  async init(): Promise<this> {
    await this.#client.send(FindCoordinator, 4, {
      keyType: 1,
      coordinatorKeys: [this.transactionalId],
    })
    const response = await retried(() =>
      this.#client.send(InitProducerId, 4, {
        transactionalId: this.transactionalId,
        transactionTimeoutMs: this.#timeoutMs,
      }),
    )
    assert.equal(response.errorCode, ErrorCode.NONE)
    this.#become(response)
    return this
  }

  /** AddPartitionsToTxn; returns the error code. */
  async add(topic: string, partition = 0): Promise<number> {
    const codeOf = (response: { resultsByTopicV3AndBelow: readonly Results[] }) =>
      response.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode
    for (;;) {
      const response = await this.#client.send(AddPartitionsToTxn, 3, {
        v3AndBelowTransactionalId: this.transactionalId,
        v3AndBelowProducerId: this.producerId,
        v3AndBelowProducerEpoch: this.producerEpoch,
        v3AndBelowTopics: [{ name: topic, partitions: [partition] }],
      })
      if (!RETRIED.includes(codeOf(response))) return codeOf(response)
    }
  }

  /** A Produce request with the next sequences. */
  request(topic: string, values: readonly string[], partition = 0) {
    const key = `${topic}-${partition}`
    const baseSequence = this.#sequences.get(key) ?? 0
    this.#sequences.set(key, baseSequence + values.length)
    const { producerId, producerEpoch } = this
    const options = { producerId, producerEpoch, baseSequence, transactional: true }
    const partitionData = [{ index: partition, records: batchOf(values, options) }]
    return {
      ...{ transactionalId: this.transactionalId, acks: -1, timeoutMs: 5000 },
      topicData: [{ name: topic, partitionData }],
    }
  }

  /** Produces; with version 1 the partition must be added before. Returns the error code. */
  async produce(
    topic: string,
    values: readonly string[],
    options: { partition?: number; version?: number } = {},
  ): Promise<number> {
    const request = this.request(topic, values, options.partition)
    const version = options.version ?? (this.#isVersion2 ? 12 : 9)
    const response = await retried(async () => {
      const { responses } = await this.#client.send(Produce, version, request)
      return responses[0]!.partitionResponses[0]!
    })
    return response.errorCode
  }

  /** Adds the partition, if that is for the producer to do, and produces; both must succeed. */
  async send(topic: string, values: readonly string[], partition = 0): Promise<void> {
    if (!this.#isVersion2) assert.equal(await this.add(topic, partition), ErrorCode.NONE)
    assert.equal(await this.produce(topic, values, { partition }), ErrorCode.NONE)
  }

  /** Commits an offset of the group; returns the error code. */
  async commitOffset(groupId: string, topic: string, offset: number): Promise<number> {
    if (!this.#isVersion2) {
      const added = await retried(() =>
        this.#client.send(AddOffsetsToTxn, 3, { ...this.#identity, groupId }),
      )
      if (added.errorCode !== ErrorCode.NONE) return added.errorCode
    }
    const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: '' }]
    const response = await retried(async () => {
      const { topics } = await this.#client.send(TxnOffsetCommit, this.#isVersion2 ? 5 : 3, {
        ...{ ...this.#identity, groupId },
        topics: [{ name: topic, partitions }],
      })
      return topics[0]!.partitions[0]!
    })
    return response.errorCode
  }

  /** EndTxn, once; returns the response. */
  async tryEnd(committed: boolean, version = this.#isVersion2 ? 5 : 3) {
    return await this.#client.send(EndTxn, version, { ...this.#identity, committed })
  }

  /** EndTxn, which must succeed; what was written is settled for readers soon. */
  async end(committed: boolean): Promise<void> {
    const response = await retried(() => this.tryEnd(committed))
    assert.equal(response.errorCode, ErrorCode.NONE)
    if (this.#isVersion2) this.#become(response)
  }

  #become({ producerId, producerEpoch }: { producerId: number; producerEpoch: number }): void {
    this.producerId = producerId
    this.producerEpoch = producerEpoch
    this.#sequences = new Map()
  }
}

interface Results {
  resultsByPartition: readonly { partitionErrorCode: number }[]
}

async function retried<R extends { errorCode: number }>(send: () => Promise<R>): Promise<R> {
  for (;;) {
    const response = await send()
    if (!RETRIED.includes(response.errorCode)) return response
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
