/**
 * What to do about a request to create topics or partitions, or why not: pure decisions over a
 * picture of the cluster, worded as Kafka words them because tools print the messages as they are.
 */
import { KafkaError } from '../../common/errors.ts'
import type { Random } from '../../common/random.ts'
import { assignReplicas } from './replica-assignment.ts'

const MAX_TOPIC_NAME_LENGTH = 249
/**
 * Kafka's own limit on the partitions of one request, so that a typing error cannot stop a broker.
 */
const MAX_PARTITIONS_PER_REQUEST = 10_000

export interface NewTopic {
  readonly name: string
  /** -1: the broker's default. */
  readonly numPartitions: number
  /** -1: the broker's default. */
  readonly replicationFactor: number
  readonly assignments: readonly { partitionIndex: number; brokerIds: readonly number[] }[]
}

/** What the plans depend on. */
export interface ClusterPicture {
  readonly brokerIds: readonly number[]
  readonly defaultPartitions: number
  readonly defaultReplicationFactor: number
  hasTopic(name: string): boolean
  topicNames(): Iterable<string>
  readonly random: Random
}

/** The replica lists of a new topic, by partition. Throws KafkaError where it cannot be created. */
export function planNewTopic(topic: NewTopic, cluster: ClusterPicture): number[][] {
  checkTopicName(topic.name)
  if (cluster.hasTopic(topic.name)) {
    throw new KafkaError('TOPIC_ALREADY_EXISTS', `Topic '${topic.name}' already exists.`)
  }
  checkCollision(topic.name, cluster.topicNames())
  if (topic.assignments.length > 0) return planManual(topic, cluster.brokerIds)
  const partitions = topic.numPartitions === -1 ? cluster.defaultPartitions : topic.numPartitions
  if (partitions <= 0) {
    throw new KafkaError(
      'INVALID_PARTITIONS',
      'Number of partitions was set to an invalid non-positive value.',
    )
  }
  if (partitions > MAX_PARTITIONS_PER_REQUEST) {
    throw new KafkaError(
      'INVALID_PARTITIONS',
      `Excessively large number of partitions per request: ${partitions} were asked for, and ` +
        `${MAX_PARTITIONS_PER_REQUEST} is the most.`,
    )
  }
  const replicationFactor =
    topic.replicationFactor === -1 ? cluster.defaultReplicationFactor : topic.replicationFactor
  checkReplicationFactor(replicationFactor, cluster.brokerIds.length)
  const { brokerIds, random } = cluster
  return assignReplicas({ brokerIds, replicationFactor, from: 0, to: partitions, random })
}

/**
 * The replica lists of the partitions to add to a topic. Throws KafkaError where that is
 * impossible. `assignments` is null for an automatic choice.
 */
export function planNewPartitions(
  existing: { name: string; partitionCount: number; replicationFactor: number },
  wanted: { count: number; assignments: readonly (readonly number[])[] | null },
  cluster: Pick<ClusterPicture, 'brokerIds' | 'random'>,
): number[][] {
  const { name, partitionCount, replicationFactor } = existing
  const added = wanted.count - partitionCount
  if (added <= 0) {
    throw new KafkaError(
      'INVALID_PARTITIONS',
      added === 0
        ? `Topic already has ${partitionCount} partition(s).`
        : `The topic ${name} currently has ${partitionCount} partition(s); ` +
            `${wanted.count} would not be an increase.`,
    )
  }
  if (added > MAX_PARTITIONS_PER_REQUEST) {
    throw new KafkaError(
      'INVALID_PARTITIONS',
      `Excessively large number of partitions per request: ${added} were asked for, and ` +
        `${MAX_PARTITIONS_PER_REQUEST} is the most.`,
    )
  }
  if (wanted.assignments === null) {
    checkReplicationFactor(replicationFactor, cluster.brokerIds.length)
    const { brokerIds, random } = cluster
    const from = partitionCount
    return assignReplicas({ brokerIds, replicationFactor, from, to: wanted.count, random })
  }
  if (wanted.assignments.length !== added) {
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      `Attempted to add ${added} additional partition(s), but only ` +
        `${wanted.assignments.length} assignment(s) were specified.`,
    )
  }
  for (const replicas of wanted.assignments) checkReplicas(replicas, cluster.brokerIds)
  if (wanted.assignments.some((replicas) => replicas.length !== replicationFactor)) {
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      `The manual partition assignment includes a partition with another number of replicas than ` +
        `${replicationFactor}, the replication factor of topic ${name}.`,
    )
  }
  return wanted.assignments.map((replicas) => [...replicas])
}

/** Throws INVALID_TOPIC_EXCEPTION for a name that Kafka does not allow. */
export function checkTopicName(name: string): void {
  const fail = (why: string): never => {
    throw new KafkaError('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${why}`)
  }
  if (name === '') fail('the empty string is not allowed')
  if (name === '.') fail("'.' is not allowed")
  if (name === '..') fail("'..' is not allowed")
  if (name.length > MAX_TOPIC_NAME_LENGTH) {
    fail(`the length of '${name}' is longer than the max allowed length ${MAX_TOPIC_NAME_LENGTH}`)
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    fail(
      `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`,
    )
  }
}

/**
 * Metric names turn '.' into '_', so two topics that differ in nothing else would share metrics.
 */
function checkCollision(name: string, existing: Iterable<string>): void {
  if (!/[._]/.test(name)) return
  const folded = name.replaceAll('.', '_')
  for (const other of existing) {
    if (other.replaceAll('.', '_') !== folded) continue
    throw new KafkaError(
      'INVALID_TOPIC_EXCEPTION',
      `Topic '${name}' collides with existing topic: ${other}`,
    )
  }
}

function checkReplicationFactor(replicationFactor: number, brokers: number): void {
  if (replicationFactor <= 0) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      'Replication factor was set to an invalid non-positive value.',
    )
  }
  if (replicationFactor > brokers) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      `Unable to replicate the partition ${replicationFactor} time(s): The target replication ` +
        `factor of ${replicationFactor} cannot be reached because only ${brokers} broker(s) are ` +
        'registered.',
    )
  }
}

function planManual(topic: NewTopic, brokerIds: readonly number[]): number[][] {
  if (topic.numPartitions !== -1 || topic.replicationFactor !== -1) {
    throw new KafkaError(
      'INVALID_REQUEST',
      'A manual partition assignment was specified, but numPartitions or replicationFactor was ' +
        'not set to -1.',
    )
  }
  const assignment: number[][] = []
  for (const { partitionIndex, brokerIds: replicas } of topic.assignments) {
    if (assignment[partitionIndex] !== undefined) {
      throw new KafkaError(
        'INVALID_REPLICA_ASSIGNMENT',
        `Found multiple manual partition assignments for partition ${partitionIndex}`,
      )
    }
    checkReplicas(replicas, brokerIds)
    if (partitionIndex >= 0 && partitionIndex < topic.assignments.length) {
      assignment[partitionIndex] = [...replicas]
    }
  }
  if (assignment.filter((replicas) => replicas !== undefined).length < topic.assignments.length) {
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      'Partitions should be a consecutive 0-based integer sequence',
    )
  }
  if (assignment.some((replicas) => replicas.length !== assignment[0]!.length)) {
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      'The manual partition assignment includes partitions with different numbers of replicas.',
    )
  }
  return assignment
}

function checkReplicas(replicas: readonly number[], brokerIds: readonly number[]): void {
  if (replicas.length === 0) {
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      'The manual partition assignment includes an empty replica list.',
    )
  }
  if (new Set(replicas).size !== replicas.length) {
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      'The manual partition assignment includes a broker more than once.',
    )
  }
  const unknown = replicas.find((id) => !brokerIds.includes(id))
  if (unknown !== undefined) {
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      `The manual partition assignment includes broker ${unknown}, but no such broker is ` +
        'registered.',
    )
  }
}
