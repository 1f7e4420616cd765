/** How the outcome of a transaction gets to its partitions, as the coordinator sees it. */
import type { TopicPartition } from './topic-partition-set.ts'
import type { ProducerIdAndEpoch } from './transaction-metadata.ts'

/** The end of a transaction, on its way to its partitions. */
export interface TransactionMarkers extends ProducerIdAndEpoch {
  readonly transactionalId: string
  readonly isCommit: boolean
  readonly clientTransactionVersion: number
  readonly partitions: readonly TopicPartition[]
}

/**
 * What became of a marker: it is in the log, or never will be, because its partition is deleted or
 * has gone on without it (`settled`); or another coordinator has taken over (`fenced`).
 */
export type MarkerOutcome = 'settled' | 'retry' | 'fenced'

/** The way to the leaders of the partitions that transactions have written to. */
export interface TransactionMarkerChannel {
  /**
   * Writes one marker to each of the partitions. Resolves with what became of them, in their order.
   * `coordinatorEpoch` fences the markers of older coordinators.
   */
  write(markers: TransactionMarkers, coordinatorEpoch: number): Promise<readonly MarkerOutcome[]>
}
