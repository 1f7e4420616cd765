/**
 * What is checked after each start of the broker: topics, their configuration, and every byte of
 * every log, against what the clients know. What was in doubt is settled by what is found.
 */
import { ErrorCode, errorName } from '../src/common/errors.ts'
import { type BrokerClient, EARLIEST, LATEST, type Target } from './broker-client.ts'
import { type PartitionModel, Violation } from './partition-model.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Incarnation, TopicModel } from './topic-model.ts'

/** How many fetches in a row may bring nothing though there is something. */
const MAX_EMPTY_FETCHES = 20

export async function verifyTopics(
  topics: readonly TopicModel[],
  client: BrokerClient,
  random: SeededRandom,
): Promise<void> {
  for (const topic of topics) {
    await settleDoubt(topic, client)
    const described = await client.describeTopic(topic.name)
    const { incarnation } = topic
    if (incarnation === undefined) {
      if (described.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) continue
      throw new Violation(`${topic.name} should not exist: ${errorName(described.errorCode)}`)
    }
    expect(`Metadata of ${topic.name}`, described.errorCode)
    const { partitions, topicId } = described
    if (topicId !== incarnation.topicId || partitions.length !== incarnation.partitions.length) {
      throw new Violation(`${topic.name} is another topic, ${topicId} of ${partitions.length}`)
    }
    await verifyConfigs(topic.name, incarnation, client)
    for (const [index, model] of incarnation.partitions.entries()) {
      const target = { topic: topic.name, topicId, index, byId: random.chance(0.5) }
      await verifyPartition(target, model, client, random)
    }
  }
}

function expect(what: string, errorCode: number): void {
  if (errorCode !== ErrorCode.NONE) throw new Violation(`${what}: ${errorName(errorCode)}`)
}

/** Finds out whether a topic exists whose creation or deletion was not answered. */
async function settleDoubt(topic: TopicModel, client: BrokerClient): Promise<void> {
  if (topic.inDoubt === 'deletion') {
    const errorCode = await client.deleteTopic(topic.incarnation!.topicId!)
    if (errorCode !== ErrorCode.UNKNOWN_TOPIC_ID) {
      expect(`DeleteTopics of ${topic.name}`, errorCode)
    }
    topic.incarnation = undefined
  } else if (topic.inDoubt === 'creation') {
    const { errorCode, topicId } = await client.describeTopic(topic.name)
    if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) topic.incarnation = undefined
    else topic.incarnation!.topicId = topicId
  }
  topic.inDoubt = undefined
}

async function verifyConfigs(
  name: string,
  incarnation: Incarnation,
  client: BrokerClient,
): Promise<void> {
  const { configs, configInDoubt } = incarnation
  const found = await client.configs(name, [...configs.keys()])
  if (configInDoubt !== undefined && found.get(configInDoubt.key) === configInDoubt.value) {
    configs.set(configInDoubt.key, configInDoubt.value)
  }
  incarnation.configInDoubt = undefined
  for (const [key, value] of configs) {
    // Internal keys are not described.
    if (key.startsWith('internal.') || found.get(key) === value) continue
    throw new Violation(`${name} has ${key}=${found.get(key)}, not ${value}`)
  }
}

async function verifyPartition(
  target: Target,
  model: PartitionModel,
  client: BrokerClient,
  random: SeededRandom,
): Promise<void> {
  const start = await client.listOffset(target, EARLIEST)
  const end = await client.listOffset(target, LATEST)
  expect(`ListOffsets of ${model.name}`, start.errorCode || end.errorCode)
  model.recovered(start.offset, end.offset)
  let offset = start.offset
  let empty = 0
  while (offset < end.offset) {
    const { errorCode, nextOffset } = await client.fetch(target, model, {
      offset,
      maxBytes: random.pick([1, 1000, 100_000]),
      maxWaitMs: 0,
    })
    // Retention may go on in the meantime.
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE && model.hasRetention) return
    expect(`Fetch of ${model.name} from ${offset}`, errorCode)
    empty = nextOffset === offset ? empty + 1 : 0
    if (empty > MAX_EMPTY_FETCHES) {
      throw new Violation(`${model.name} gives nothing at ${offset}, and ends at ${end.offset}`)
    }
    offset = nextOffset
  }
  if (!model.usesLogAppendTime && !model.hasRetention && start.offset < end.offset) {
    await verifyTimestamps(target, model, client, { start: start.offset, end: end.offset, random })
  }
}

/** Looks some timestamps up. */
async function verifyTimestamps(
  target: Target,
  model: PartitionModel,
  client: BrokerClient,
  range: { start: number; end: number; random: SeededRandom },
): Promise<void> {
  const { start, end, random } = range
  for (let count = 0; count < 2; count++) {
    const timestamp = model.timestampAt(random.between(start, end - 1)) + random.between(-1, 1)
    const expected = model.offsetForTimestamp(timestamp, start, end) ?? -1
    const { errorCode, offset } = await client.listOffset(target, timestamp)
    expect(`ListOffsets of ${model.name} at ${timestamp}`, errorCode)
    if (offset === expected) continue
    throw new Violation(`${model.name} finds ${offset} at ${timestamp}, not ${expected}`)
  }
}
