/**
 * Where the leader of a partition keeps how far share groups have got: with their share
 * coordinator, by ReadShareGroupState and WriteShareGroupState (KIP-932).
 */
import type { StateBatch } from '../../coordinator/share/record-state.ts'

/** A partition as one share group sees it. */
export interface SharePartitionKey {
  readonly groupId: string
  readonly topicId: string
  readonly partition: number
}

export interface PersistedShareState {
  readonly stateEpoch: number
  /** -1: the group has not begun, `share.auto.offset.reset` says where. */
  readonly startOffset: number
  /** In order and without overlap. What lies between them, from the start on, is available. */
  readonly stateBatches: readonly StateBatch[]
}

export interface ShareStateChange extends PersistedShareState {
  readonly leaderEpoch: number
  /** How many offsets from the start on are done with, though the start has not passed them. */
  readonly deliveryCompleteCount: number
}

export interface ShareStatePersister {
  /**
   * Reads the state, and thereby fences leaders of earlier epochs. Rejects with the share
   * coordinator's KafkaError.
   */
  read(key: SharePartitionKey, leaderEpoch: number): Promise<PersistedShareState>

  /** Resolves when the change is safe. Rejects with the share coordinator's KafkaError. */
  write(key: SharePartitionKey, change: ShareStateChange): Promise<void>
}

/** A share partition as it is named in logs. */
export function nameOfSharePartition(key: SharePartitionKey): string {
  return `${key.groupId}:${key.topicId}:${key.partition}`
}
