/**
 * Giving partitions other replicas (KIP-455). While a reassignment is under way a partition has the
 * old replicas and the new ones; it ends when all the new ones are in sync. One that adds nobody
 * ends at once, and so does any on a single broker.
 *
 * ```
 * from [1,2] to [2,3]   replicas [2,3,1]  adding [3]  removing [1]      under way
 *                       replicas [2,3]    adding []   removing []       when 3 is in sync
 * ```
 */
import { KafkaError } from '../../common/errors.ts'
import type { PartitionAssignment } from '../../metadata/znodes.ts'
import type { ClusterView, Decision, PartitionChange, PartitionView } from './partition-change.ts'

export interface WantedReplicas {
  readonly topic: string
  readonly partitionIndex: number
  /** Null cancels what is under way. */
  readonly replicas: readonly number[] | null
}

/** What became of each that was wanted, in their order; null where all is well. */
export type ReassignmentResults = (KafkaError | null)[]

export function reassignPartitions(
  view: ClusterView,
  wanted: readonly WantedReplicas[],
  allowReplicationFactorChange: boolean,
): Decision<ReassignmentResults> {
  const changes: PartitionChange[] = []
  const outcome = wanted.map((each) => {
    try {
      const partition = find(view, each)
      const change =
        each.replicas === null
          ? cancelled(view, partition)
          : begun(view, partition, each.replicas, allowReplicationFactorChange)
      changes.push({ topic: each.topic, partitionIndex: each.partitionIndex, ...change })
      return null
    } catch (error) {
      if (error instanceof KafkaError) return error
      throw error
    }
  })
  return { changes, outcome }
}

/** Whether a partition's replicas are being changed. */
export function isReassigning({ addingReplicas, removingReplicas }: PartitionAssignment): boolean {
  return addingReplicas.length > 0 || removingReplicas.length > 0
}

type Change = Omit<PartitionChange, 'topic' | 'partitionIndex'>

function find(view: ClusterView, { topic, partitionIndex }: WantedReplicas): PartitionView {
  const partitions = view.partitions(topic)
  if (partitions === undefined) {
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `Unable to find a topic named ${topic}.`)
  }
  const partition = partitions[partitionIndex]
  if (partition !== undefined) return partition
  const message = `Unable to find partition ${topic}:${partitionIndex}.`
  throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', message)
}

function begun(
  view: ClusterView,
  partition: PartitionView,
  target: readonly number[],
  allowReplicationFactorChange: boolean,
): Change {
  checkTarget(view, target)
  const before = originalReplicas(partition.assignment)
  if (!allowReplicationFactorChange && target.length !== before.length) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      `The replication factor is changed from ${before.length} to ${target.length}`,
    )
  }
  const addingReplicas = target.filter((id) => !before.includes(id))
  const isInSync = addingReplicas.every((id) => partition.state.isr.includes(id))
  if (isInSync) return settled(view, partition, target)
  const removingReplicas = before.filter((id) => !target.includes(id))
  const replicas = [...target, ...removingReplicas]
  return { assignment: { replicas, addingReplicas, removingReplicas } }
}

function cancelled(view: ClusterView, partition: PartitionView): Change {
  if (!isReassigning(partition.assignment)) throw new KafkaError('NO_REASSIGNMENT_IN_PROGRESS')
  return settled(view, partition, originalReplicas(partition.assignment))
}

/** The partition with these replicas and no others, led by the leader it has if that remains. */
function settled(view: ClusterView, { state }: PartitionView, target: readonly number[]): Change {
  const assignment = { replicas: [...target], addingReplicas: [], removingReplicas: [] }
  const isr = state.isr.filter((id) => target.includes(id))
  if (isr.length === state.isr.length) return { assignment }
  const leader = target.includes(state.leader)
    ? state.leader
    : target.find((id) => isr.includes(id) && view.brokerIds.has(id))
  if (leader === undefined) {
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      'None of the replicas that would remain is in sync.',
    )
  }
  return { assignment, leader, isr }
}

/** The replicas without what a reassignment has added. */
function originalReplicas({ replicas, addingReplicas }: PartitionAssignment): number[] {
  return replicas.filter((id) => !addingReplicas.includes(id))
}

function checkTarget(view: ClusterView, target: readonly number[]): void {
  const fail = (what: string): never => {
    const message = `The manual partition assignment includes ${what}.`
    throw new KafkaError('INVALID_REPLICA_ASSIGNMENT', message)
  }
  if (target.length === 0) fail('an empty replica list')
  for (const [index, id] of target.entries()) {
    if (!view.brokerIds.has(id)) fail(`broker ${id}, but no such broker is registered`)
    if (target.indexOf(id) !== index) fail(`the broker ${id} more than once`)
  }
}
