/**
 * The requests of groups, transactional producers and readers of committed records, each in the
 * version that its client speaks: producers of transactions v1 or v2 (KIP-890).
 */
import { recordsBuffer } from '../src/protocol/compile.ts'
import { AddOffsetsToTxn } from '../src/protocol/messages/add-offsets-to-txn.ts'
import { AddPartitionsToTxn } from '../src/protocol/messages/add-partitions-to-txn.ts'
import { EndTxn } from '../src/protocol/messages/end-txn.ts'
import { Fetch } from '../src/protocol/messages/fetch.ts'
import { FindCoordinator } from '../src/protocol/messages/find-coordinator.ts'
import { InitProducerId } from '../src/protocol/messages/init-producer-id.ts'
import { ListOffsets } from '../src/protocol/messages/list-offsets.ts'
import { OffsetCommit } from '../src/protocol/messages/offset-commit.ts'
import { OffsetFetch } from '../src/protocol/messages/offset-fetch.ts'
import { Produce } from '../src/protocol/messages/produce.ts'
import { TxnOffsetCommit } from '../src/protocol/messages/txn-offset-commit.ts'
import { BrokerClient, LATEST } from './broker-client.ts'
import type { SimulatedClient } from './simulated-client.ts'

export const GROUP = 0
export const TRANSACTION = 1

/** 0: everything up to the high watermark; 1: up to the last stable offset (read_committed). */
export type IsolationLevel = 0 | 1

/** A transactional producer as its requests name it. */
export interface ProducerIdentity {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

/** The group, topic and partition that an offset is committed for. */
export interface OffsetKey {
  readonly groupId: string
  readonly topic: string
  readonly partition: number
}

export class CoordinatorClient {
  readonly broker: BrokerClient
  readonly #client: SimulatedClient

  constructor(client: SimulatedClient) {
    this.#client = client
    this.broker = new BrokerClient(client)
  }

  close(): void {
    this.#client.close()
  }

  async findCoordinator(keyType: number, key: string): Promise<number> {
    const request = { keyType, coordinatorKeys: [key] }
    const { coordinators } = await this.#client.send(FindCoordinator, 4, request)
    return coordinators[0]!.errorCode
  }

  async commitOffset({ groupId, topic, partition }: OffsetKey, offset: number): Promise<number> {
    const { topics } = await this.#client.send(OffsetCommit, 8, {
      ...{ groupId, generationIdOrMemberEpoch: -1, memberId: '' },
      topics: [{ name: topic, partitions: [committed(partition, offset)] }],
    })
    return topics[0]!.partitions[0]!.errorCode
  }

  /** The offset is -1 where none is committed. */
  async fetchOffset({ groupId, topic, partition }: OffsetKey, requireStable: boolean) {
    const { groups } = await this.#client.send(OffsetFetch, 8, {
      groups: [{ groupId, topics: [{ name: topic, partitionIndexes: [partition] }] }],
      requireStable,
    })
    const { errorCode, topics } = groups[0]!
    const found = topics[0]?.partitions[0]
    return {
      errorCode: errorCode || (found?.errorCode ?? 0),
      offset: found?.committedOffset ?? -1,
      metadata: found?.metadata,
    }
  }

  async initProducer(transactionalId: string, transactionTimeoutMs: number) {
    const request = { transactionalId, transactionTimeoutMs }
    return await this.#client.send(InitProducerId, 4, request)
  }

  /** Transactions v1. */
  async addPartition(producer: ProducerIdentity, topic: string, partition: number) {
    const { resultsByTopicV3AndBelow } = await this.#client.send(AddPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: producer.transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions: [partition] }],
    })
    return resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode
  }

  /** Transactions v1. */
  async addOffsets(producer: ProducerIdentity, groupId: string): Promise<number> {
    const { errorCode } = await this.#client.send(AddOffsetsToTxn, 3, { ...producer, groupId })
    return errorCode
  }

  async commitOffsetInTransaction(
    producer: ProducerIdentity,
    isVersion2: boolean,
    { groupId, topic, partition }: OffsetKey,
    offset: number,
  ): Promise<number> {
    const { topics } = await this.#client.send(TxnOffsetCommit, isVersion2 ? 5 : 3, {
      ...{ ...producer, groupId },
      topics: [{ name: topic, partitions: [committed(partition, offset)] }],
    })
    return topics[0]!.partitions[0]!.errorCode
  }

  async endTransaction(producer: ProducerIdentity, isVersion2: boolean, isCommit: boolean) {
    const request = { ...producer, committed: isCommit }
    return await this.#client.send(EndTxn, isVersion2 ? 5 : 3, request)
  }

  async produceInTransaction(
    transactionalId: string,
    isVersion2: boolean,
    topic: string,
    batch: { partition: number; records: Buffer },
  ) {
    const partitionData = [{ index: batch.partition, records: batch.records }]
    const { responses } = await this.#client.send(Produce, isVersion2 ? 12 : 10, {
      ...{ transactionalId, acks: -1, timeoutMs: 30_000 },
      topicData: [{ name: topic, partitionData }],
    })
    return responses[0]!.partitionResponses[0]!
  }

  /** Where a reader would find the end of the log. */
  async logEnd(topic: string, partition: number, isolationLevel: IsolationLevel) {
    const partitions = [{ partitionIndex: partition, timestamp: LATEST }]
    const { topics } = await this.#client.send(ListOffsets, 7, {
      ...{ replicaId: -1, isolationLevel },
      topics: [{ name: topic, partitions }],
    })
    return topics[0]!.partitions[0]!
  }

  async fetch(
    topic: string,
    partition: number,
    options: { offset: number; maxBytes: number; isolationLevel: IsolationLevel },
  ) {
    const { offset, maxBytes, isolationLevel } = options
    const partitions = [{ partition, fetchOffset: offset, partitionMaxBytes: maxBytes }]
    const response = await this.#client.send(Fetch, 12, {
      ...{ maxWaitMs: 0, minBytes: 1, maxBytes: 1_000_000, isolationLevel },
      topics: [{ topic, partitions }],
    })
    const found = response.responses[0]!.partitions[0]!
    return {
      errorCode: found.errorCode,
      abortedTransactions: found.abortedTransactions ?? [],
      records: recordsBuffer(found.records),
    }
  }
}

function committed(partitionIndex: number, committedOffset: number) {
  return { partitionIndex, committedOffset, committedMetadata: `at ${committedOffset}` }
}
