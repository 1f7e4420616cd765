/** Puts batches into a Produce request, and finds what the response says of each. */
import type { ProduceResponse } from '../../protocol/messages/produce.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import type { ClusterMetadata } from '../cluster/cluster-metadata.ts'
import type { ProducerBatch } from './producer-batch.ts'

interface TopicPart {
  readonly name: string
  readonly topicId: string
  readonly partitionData: { index: number; records: Buffer }[]
}

type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number]

export class ProduceRequestBuilder {
  readonly #metadata: ClusterMetadata
  readonly #topics = new Map<string, TopicPart>()
  /** Whether every topic has an id: requests can then name topics by it. */
  hasTopicIds = true

  constructor(metadata: ClusterMetadata) {
    this.#metadata = metadata
  }

  /** Adds a batch; at most one for each partition. */
  add({ queue }: ProducerBatch, records: Buffer): void {
    const { topic: name, partition } = queue
    let part = this.#topics.get(name)
    if (part === undefined) {
      const topicId = this.#metadata.topics.get(name)?.topicId ?? ZERO_UUID
      if (topicId === ZERO_UUID) this.hasTopicIds = false
      part = { name, topicId, partitionData: [] }
      this.#topics.set(name, part)
    }
    part.partitionData.push({ index: partition, records })
  }

  topicData(): TopicPart[] {
    return [...this.#topics.values()]
  }

  /** What a response says of a batch; undefined if it says nothing. */
  find(response: ProduceResponse, { queue }: ProducerBatch): PartitionResponse | undefined {
    const part = this.#topics.get(queue.topic)!
    // Old versions answer by name, new ones by id.
    const topic = response.responses.find(({ name, topicId }) =>
      topicId === ZERO_UUID ? name === part.name : topicId === part.topicId,
    )
    return topic?.partitionResponses.find(({ index }) => index === queue.partition)
  }
}
