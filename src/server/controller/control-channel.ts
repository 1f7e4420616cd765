/**
 * The controller's way to a broker, its own included: Kafka's three control requests. A broker in
 * the same process is called directly; one elsewhere is sent the requests.
 */
import type { MetadataUpdate } from '../metadata-cache.ts'
import type { LeaderAndIsr } from '../partition.ts'

export interface ControlChannel {
  /** Tells the broker which partitions it leads or follows. Returns an error code for each. */
  leaderAndIsr(states: readonly LeaderAndIsr[]): Promise<number[]>

  /** Tells it what the cluster looks like. */
  updateMetadata(update: MetadataUpdate): Promise<void>

  /** Tells it to stop hosting partitions, and to delete their data where asked. */
  stopReplicas(
    partitions: readonly { topic: string; partitionIndex: number }[],
    deleteLogs: boolean,
  ): Promise<void>
}
