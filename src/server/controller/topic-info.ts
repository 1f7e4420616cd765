/** A topic as the controller has it in mind, and what follows from it for others. */
import { ANY_VERSION, type MetadataOperation } from '../../metadata/metadata-store.ts'
import {
  encodePartitionState,
  type PartitionAssignment,
  type PartitionState,
  paths,
  type TopicAssignment,
} from '../../metadata/znodes.ts'
import { NO_LEADER, type TopicMetadata } from '../metadata-cache.ts'
import type { LeaderAndIsr } from '../partition.ts'
import type { PartitionChange } from './partition-change.ts'

export interface PartitionInfo {
  state: PartitionState
  /** The version of the partition's state node, which brokers know as the partition epoch. */
  partitionEpoch: number
  /** Replicas that could not be started where they are assigned. */
  offlineReplicas: number[]
}

export interface TopicInfo {
  name: string
  topicId: string
  assignment: TopicAssignment
  partitions: PartitionInfo[]
}

/** The assignment of a partition that nothing is being changed about. */
export function assigned(replicas: number[]): PartitionAssignment {
  return { replicas, addingReplicas: [], removingReplicas: [] }
}

/** What makes the nodes of a partition. */
export function creationOf(
  name: string,
  index: number,
  { state }: PartitionInfo,
): MetadataOperation[] {
  const data = encodePartitionState(state)
  return [
    { type: 'create', path: paths.partition(name, index), data: Buffer.alloc(0) },
    { type: 'create', path: paths.partitionState(name, index), data },
  ]
}

/** What removes the nodes of a partition. */
export function removalOf(name: string, index: number): MetadataOperation[] {
  return [
    { type: 'delete', path: paths.partitionState(name, index), version: ANY_VERSION },
    { type: 'delete', path: paths.partition(name, index), version: ANY_VERSION },
  ]
}

/** The topic's assignment after changes, and the states of the partitions that have another. */
export function changedTopic(
  topic: TopicInfo,
  changes: readonly PartitionChange[],
  controllerEpoch: number,
): { assignment: TopicAssignment; states: Map<number, PartitionState> } {
  const partitions = [...topic.assignment.partitions]
  const states = new Map<number, PartitionState>()
  for (const { partitionIndex, assignment, leader, isr } of changes) {
    if (assignment !== undefined) partitions[partitionIndex] = assignment
    if (leader === undefined && isr === undefined) continue
    const before = topic.partitions[partitionIndex]!.state
    states.set(partitionIndex, {
      leader: leader ?? before.leader,
      leaderEpoch: before.leaderEpoch + 1,
      controllerEpoch,
      isr: [...(isr ?? before.isr)],
    })
  }
  return { assignment: { topicId: topic.topicId, partitions }, states }
}

/** What brokers are told that have replicas of the topic, partition by partition. */
export function leaderAndIsrOf(
  topic: TopicInfo,
  controllerEpoch: number,
  isNew: boolean,
): LeaderAndIsr[] {
  return topic.partitions.map(({ state, partitionEpoch }, partitionIndex) => ({
    topic: topic.name,
    topicId: topic.topicId,
    partitionIndex,
    controllerEpoch,
    leader: state.leader,
    leaderEpoch: state.leaderEpoch,
    isr: state.isr,
    replicas: topic.assignment.partitions[partitionIndex]!.replicas,
    partitionEpoch,
    isNew,
  }))
}

/** What all brokers are told of the topic. */
export function metadataOf(topic: TopicInfo): TopicMetadata {
  return {
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.map(({ state, offlineReplicas }, partitionIndex) => ({
      partitionIndex,
      leader: offlineReplicas.includes(state.leader) ? NO_LEADER : state.leader,
      leaderEpoch: state.leaderEpoch,
      replicas: topic.assignment.partitions[partitionIndex]!.replicas,
      isr: state.isr,
      offlineReplicas,
    })),
  }
}
