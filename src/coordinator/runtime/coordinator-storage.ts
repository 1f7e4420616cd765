/**
 * The partitions that coordinators keep their state in, as the runtime needs them of the broker.
 */

/** A batch that is in the log, and may not be committed yet. */
export interface StagedAppend {
  /** The offset of the batch's first record. */
  readonly baseOffset: number
  /**
   * Resolves when every in-sync replica has the batch. Rejects with KafkaError: REQUEST_TIMED_OUT
   * where that is merely late; with any other error the partition is no longer this broker's.
   */
  readonly committed: Promise<void>
}

export interface CoordinatorStorage {
  /**
   * Appends one batch as the partition's leader. Throws the KafkaError with which it is refused.
   */
  append(topic: string, partition: number, batch: Buffer): StagedAppend

  /**
   * Reads the partition from its beginning to the end that it has at the call, a piece of whole
   * batches at a time. A piece is valid until the next is asked for. Throws KafkaError.
   */
  read(topic: string, partition: number): AsyncIterable<readonly Buffer[]>
}
