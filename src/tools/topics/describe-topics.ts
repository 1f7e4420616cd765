/** What `kafka-topics --describe` prints. */
import type { Admin } from '../../clients/admin/admin.ts'
import type { ConfigEntry } from '../../clients/admin/configs.ts'
import type { OngoingReassignment } from '../../clients/admin/partitions.ts'
import type { PartitionDescription, TopicDescription } from '../../clients/admin/topics.ts'
import { partitionName } from '../../clients/topic-partition.ts'
import { KafkaError } from '../../common/errors.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import { printLine, type ToolIo } from '../support/tool.ts'
import type { TopicsOptions } from './options.ts'

interface Partition {
  readonly info: PartitionDescription
  readonly reassignment: OngoingReassignment | undefined
  readonly minInSyncReplicas: number
}

/** Describes topics that exist, one after another in the order of their names. */
export async function printTopics(
  admin: Admin,
  topics: readonly string[],
  options: TopicsOptions,
  io: ToolIo,
): Promise<void> {
  const descriptions = [...(await describe(admin, topics, options)).values()]
  descriptions.sort((one, other) => (one.name < other.name ? -1 : 1))
  const resources = descriptions.map(({ name }) => ({ type: 'topic' as const, name }))
  const configs = await admin.describeConfigs(resources)
  const { brokers } = await admin.describeCluster()
  const liveBrokers = new Set(brokers.map(({ id }) => id))
  const reassignments = await ongoingReassignments(admin, descriptions)
  const isReported = reportedPartitions(options, liveBrokers)
  for (const topic of descriptions) {
    const entries = configs.get(`topic ${topic.name}`) ?? []
    const minInSync = entries.find(({ name }) => name === 'min.insync.replicas')?.value
    const partitions = topic.partitions.map((info) => ({
      info,
      reassignment: reassignments.get(
        partitionName({ topic: topic.name, partition: info.partition }),
      ),
      minInSyncReplicas: Number(minInSync),
    }))
    const isOverridden = entries.some(({ source }) => source !== 'DEFAULT_CONFIG')
    const showsTopic = isReported === undefined
    if (showsTopic && (!options.has('topics-with-overrides') || isOverridden)) {
      printLine(io.stdout, topicLine(topic, partitions[0], entries))
    }
    if (options.has('topics-with-overrides')) continue
    for (const partition of partitions) {
      if (isReported?.(partition) ?? true) {
        printLine(io.stdout, partitionLine(topic.name, partition))
      }
    }
  }
}

async function describe(
  admin: Admin,
  topics: readonly string[],
  options: TopicsOptions,
): Promise<ReadonlyMap<string, TopicDescription>> {
  const partitionsPerResponse = options.number('partition-size-limit-per-response') ?? 2000
  try {
    return await admin.describeTopicPartitions(topics, { partitionsPerResponse })
  } catch (error) {
    if (!(error instanceof KafkaError) || error.errorName !== 'UNSUPPORTED_VERSION') throw error
  }
  const described = await admin.describeTopics(topics)
  const unknown = { eligibleLeaderReplicas: null, lastKnownEligibleLeaderReplicas: null }
  return new Map(
    [...described].map(([name, topic]) => {
      const partitions = topic.partitions.map((partition) => ({ ...partition, ...unknown }))
      return [name, { ...topic, partitions }]
    }),
  )
}

async function ongoingReassignments(
  admin: Admin,
  topics: readonly TopicDescription[],
): Promise<ReadonlyMap<string, OngoingReassignment>> {
  const partitions = topics.flatMap(({ name, partitions: all }) =>
    all.map(({ partition }) => ({ topic: name, partition })),
  )
  if (partitions.length === 0) return new Map()
  try {
    const found = await admin.listPartitionReassignments(partitions)
    return new Map(found.map((reassignment) => [partitionName(reassignment), reassignment]))
  } catch (error) {
    const names = ['UNSUPPORTED_VERSION', 'CLUSTER_AUTHORIZATION_FAILED']
    if (error instanceof KafkaError && names.includes(error.errorName)) return new Map()
    throw error
  }
}

/** Whether a partition is one of those that were asked for; undefined if all are. */
function reportedPartitions(
  options: TopicsOptions,
  liveBrokers: ReadonlySet<number>,
): ((partition: Partition) => boolean) | undefined {
  const reports: ((partition: Partition) => boolean)[] = []
  if (options.has('under-replicated-partitions')) {
    reports.push((partition) => replicationFactor(partition) > partition.info.inSyncReplicas.length)
  }
  if (options.has('unavailable-partitions')) {
    reports.push(({ info: { leaderId } }) => leaderId < 0 || !liveBrokers.has(leaderId))
  }
  if (options.has('under-min-isr-partitions')) {
    reports.push(({ info: { leaderId, inSyncReplicas }, minInSyncReplicas }) => {
      return leaderId < 0 || inSyncReplicas.length < minInSyncReplicas
    })
  }
  if (options.has('at-min-isr-partitions')) {
    reports.push(({ info, minInSyncReplicas }) => info.inSyncReplicas.length === minInSyncReplicas)
  }
  if (reports.length === 0) return undefined
  return (partition) => reports.some((report) => report(partition))
}

/** How many brokers are to have the partition: while it moves, as many as had it before. */
function replicationFactor({ info: { replicas }, reassignment }: Partition): number {
  if (reassignment === undefined) return replicas.length
  const { addingReplicas, removingReplicas } = reassignment
  // It may have been completed in between.
  const isMoving = [...addingReplicas, ...removingReplicas].some((id) => replicas.includes(id))
  return isMoving ? reassignment.replicas.length - addingReplicas.length : replicas.length
}

function topicLine(
  { name, topicId, partitions }: TopicDescription,
  first: Partition | undefined,
  entries: readonly ConfigEntry[],
): string {
  const overrides = entries.filter(({ source }) => source !== 'DEFAULT_CONFIG')
  const parts = [
    `Topic: ${name}`,
    ...(topicId === ZERO_UUID ? [] : [`TopicId: ${topicId}`]),
    `PartitionCount: ${partitions.length}`,
    `ReplicationFactor: ${first === undefined ? 0 : replicationFactor(first)}`,
    `Configs: ${overrides.map(({ name: key, value }) => `${key}=${value}`).join(',')}`,
  ]
  return parts.join('\t')
}

function partitionLine(topic: string, { info, reassignment }: Partition): string {
  const parts = [
    `\tTopic: ${topic}`,
    `Partition: ${info.partition}`,
    `Leader: ${info.leaderId < 0 ? 'none' : info.leaderId}`,
    `Replicas: ${info.replicas}`,
    `Isr: ${info.inSyncReplicas}`,
  ]
  if (reassignment !== undefined) {
    parts.push(`Adding Replicas: ${reassignment.addingReplicas}`)
    parts.push(`Removing Replicas: ${reassignment.removingReplicas}`)
  }
  parts.push(`Elr: ${info.eligibleLeaderReplicas ?? 'N/A'}`)
  parts.push(`LastKnownElr: ${info.lastKnownEligibleLeaderReplicas ?? 'N/A'}`)
  return parts.join('\t')
}
