/**
 * What a decision about existing partitions sees, and what it may say: the vocabulary between the
 * controller, which writes decisions and tells brokers, and the pure functions that make them
 * (`elections.ts`, `reassignments.ts`).
 */
import type { PartitionAssignment, PartitionState } from '../../metadata/znodes.ts'

/** One partition as it is. */
export interface PartitionView {
  readonly state: Readonly<PartitionState>
  readonly assignment: Readonly<PartitionAssignment>
}

export interface ClusterView {
  /** The ids of the live brokers. */
  readonly brokerIds: ReadonlySet<number>
  /** The partitions of a topic, in their order; undefined where there is no such topic. */
  partitions(topic: string): readonly PartitionView[] | undefined
  topicNames(): readonly string[]
}

/** What becomes of one partition. What is left out stays as it is. */
export interface PartitionChange {
  readonly topic: string
  readonly partitionIndex: number
  readonly leader?: number
  readonly isr?: readonly number[]
  readonly assignment?: PartitionAssignment
}

/** A decision: what is to be done, and what the one who asked is told. */
export interface Decision<T> {
  readonly changes: readonly PartitionChange[]
  readonly outcome: T
}
