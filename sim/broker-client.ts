/**
 * The requests that the simulation's actors make, in one version each by name and one by topic id,
 * with everything checked that can be checked without knowing more than the request.
 */
import { recordsBuffer } from '../src/protocol/compile.ts'
import { CreateTopics } from '../src/protocol/messages/create-topics.ts'
import { DeleteRecords } from '../src/protocol/messages/delete-records.ts'
import { DeleteTopics } from '../src/protocol/messages/delete-topics.ts'
import { DescribeConfigs } from '../src/protocol/messages/describe-configs.ts'
import { Fetch } from '../src/protocol/messages/fetch.ts'
import { IncrementalAlterConfigs } from '../src/protocol/messages/incremental-alter-configs.ts'
import { InitProducerId } from '../src/protocol/messages/init-producer-id.ts'
import { ListOffsets } from '../src/protocol/messages/list-offsets.ts'
import { Metadata } from '../src/protocol/messages/metadata.ts'
import { Produce } from '../src/protocol/messages/produce.ts'
import { BatchIterator } from '../src/protocol/records/batch-iterator.ts'
import { readInt64 } from '../src/protocol/records/record-batch.ts'
import { type PartitionModel, Violation } from './partition-model.ts'
import type { SimulatedClient } from './simulated-client.ts'

const TOPIC_RESOURCE = 2
const SET = 0
export const EARLIEST = -2
export const LATEST = -1

/** A partition as requests name it. */
export interface Target {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  /** Whether requests that can do either name the topic by its id. */
  readonly byId: boolean
}

export class BrokerClient {
  readonly #client: SimulatedClient

  constructor(client: SimulatedClient) {
    this.#client = client
  }

  /** See SimulatedClient.connect. */
  connect(): Promise<number> {
    return this.#client.connect()
  }

  close(): void {
    this.#client.close()
  }

  async createTopic(name: string, partitions: number, configs: ReadonlyMap<string, string>) {
    const { topics } = await this.#client.send(CreateTopics, 7, {
      topics: [
        {
          name,
          numPartitions: partitions,
          replicationFactor: 1,
          configs: [...configs].map(([key, value]) => ({ name: key, value })),
        },
      ],
    })
    return topics[0]!
  }

  async deleteTopic(topicId: string): Promise<number> {
    const request = { topics: [{ topicId }], timeoutMs: 60_000 }
    const { responses } = await this.#client.send(DeleteTopics, 6, request)
    return responses[0]!.errorCode
  }

  async describeTopic(name: string) {
    const request = { topics: [{ name }], allowAutoTopicCreation: false }
    const { topics } = await this.#client.send(Metadata, 12, request)
    return topics[0]!
  }

  async setConfig(topic: string, key: string, value: string): Promise<number> {
    const { responses } = await this.#client.send(IncrementalAlterConfigs, 1, {
      resources: [
        {
          resourceType: TOPIC_RESOURCE,
          resourceName: topic,
          configs: [{ name: key, configOperation: SET, value }],
        },
      ],
      validateOnly: false,
    })
    return responses[0]!.errorCode
  }

  /** The values of the keys given, as the broker says them. */
  async configs(topic: string, keys: readonly string[]): Promise<Map<string, string | null>> {
    const resource = { resourceType: TOPIC_RESOURCE, resourceName: topic }
    const resources = [{ ...resource, configurationKeys: [...keys] }]
    const { results } = await this.#client.send(DescribeConfigs, 4, { resources })
    return new Map(results[0]!.configs.map(({ name, value }) => [name, value]))
  }

  async initProducerId() {
    const request = { transactionalId: null, transactionTimeoutMs: 60_000 }
    return await this.#client.send(InitProducerId, 4, request)
  }

  async produce(target: Target, acks: 1 | -1, records: Buffer, onLink?: number) {
    const request = this.#produceRequest(target, acks, records)
    const version = target.byId ? 13 : 9
    const { responses } = await this.#client.send(Produce, version, request, onLink)
    return responses[0]!.partitionResponses[0]!
  }

  async produceWithoutAnswer(target: Target, records: Buffer): Promise<void> {
    const version = target.byId ? 13 : 9
    await this.#client.post(Produce, version, this.#produceRequest(target, 0, records))
  }

  #produceRequest(target: Target, acks: number, records: Buffer) {
    const { topic, topicId, index } = target
    const topicData = [{ name: topic, topicId, partitionData: [{ index, records }] }]
    return { acks, timeoutMs: 30_000, topicData }
  }

  /** The error code of a look-up, and the offset found; -1 where there is none. */
  async listOffset(target: Target, timestamp: number) {
    const partitions = [{ partitionIndex: target.index, timestamp }]
    const request = {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: target.topic, partitions }],
    }
    const { topics } = await this.#client.send(ListOffsets, 7, request)
    return topics[0]!.partitions[0]!
  }

  async deleteRecords(target: Target, offset: number) {
    const partitions = [{ partitionIndex: target.index, offset }]
    const request = { topics: [{ name: target.topic, partitions }], timeoutMs: 30_000 }
    const { topics } = await this.#client.send(DeleteRecords, 2, request)
    return topics[0]!.partitions[0]!
  }

  /**
   * Fetches from `offset` and checks every whole batch against the model. Returns the error code
   * and the offset to go on from.
   */
  async fetch(
    target: Target,
    model: PartitionModel,
    options: { offset: number; maxBytes: number; maxWaitMs: number },
  ): Promise<{ errorCode: number; nextOffset: number }> {
    const { offset, maxBytes, maxWaitMs } = options
    const { topic, topicId, index, byId } = target
    const partitions = [{ partition: index, fetchOffset: offset, partitionMaxBytes: maxBytes }]
    const response = await this.#client.send(Fetch, byId ? 16 : 12, {
      maxWaitMs,
      minBytes: 1,
      maxBytes: 1_000_000,
      topics: [{ topic, topicId, partitions }],
    })
    const found = response.responses[0]?.partitions[0]
    if (found === undefined) return { errorCode: response.errorCode, nextOffset: offset }
    const bytes = recordsBuffer(found.records)
    const { errorCode } = found
    if (errorCode !== 0) {
      if (bytes.length > 0) throw new Violation(`error ${errorCode} came with records`)
      return { errorCode, nextOffset: offset }
    }
    return { errorCode, nextOffset: checkRecords(bytes, model, offset) }
  }
}

/** Checks fetched records, whose first batch must contain `offset`; returns where they end. */
function checkRecords(bytes: Buffer, model: PartitionModel, offset: number): number {
  const batches = new BatchIterator(bytes)
  let nextOffset = offset
  while (batches.next()) {
    const { position, sizeInBytes } = batches
    const baseOffset = readInt64(bytes, position)
    const isFirst = position === 0
    const end = model.read(bytes.subarray(position, position + sizeInBytes))
    if (isFirst ? baseOffset > offset || end <= offset : baseOffset !== nextOffset) {
      throw new Violation(`${model.name}: a batch at ${baseOffset} follows ${nextOffset}`)
    }
    nextOffset = end
  }
  return nextOffset
}
