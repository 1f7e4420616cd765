/**
 * Offsets that are part of an open transaction. They count once it commits; until then the
 * partitions they are of have no stable offset (KIP-447).
 */
import { type CommittedOffset, OffsetStore } from './offset-store.ts'

export class TransactionalOffsets {
  readonly #byProducer = new Map<number, OffsetStore>()

  set(
    producerId: number,
    key: { groupId: string; topic: string; partition: number },
    offset: CommittedOffset,
  ): void {
    let offsets = this.#byProducer.get(producerId)
    if (offsets === undefined) {
      offsets = new OffsetStore()
      this.#byProducer.set(producerId, offsets)
    }
    offsets.set(key.groupId, key.topic, key.partition, offset)
  }

  /** Gives out what a producer's transaction holds, and forgets it. */
  take(producerId: number): OffsetStore | undefined {
    const offsets = this.#byProducer.get(producerId)
    this.#byProducer.delete(producerId)
    return offsets
  }

  /** An offset was deleted: a transaction that commits later must not bring it back. */
  delete(groupId: string, topic: string, partition: number): void {
    for (const [producerId, offsets] of this.#byProducer) {
      offsets.delete(groupId, topic, partition)
      if (offsets.size === 0) this.#byProducer.delete(producerId)
    }
  }

  has(groupId: string, topic: string, partition: number): boolean {
    for (const offsets of this.#byProducer.values()) {
      if (offsets.get(groupId, topic, partition) !== undefined) return true
    }
    return false
  }

  hasGroup(groupId: string): boolean {
    for (const offsets of this.#byProducer.values()) {
      if (offsets.ofGroup(groupId) !== undefined) return true
    }
    return false
  }

  /** All that is pending of a group. */
  *ofGroup(groupId: string): Generator<[topic: string, partition: number]> {
    for (const offsets of this.#byProducer.values()) {
      for (const [topic, partitions] of offsets.ofGroup(groupId) ?? []) {
        for (const partition of partitions.keys()) yield [topic, partition]
      }
    }
  }
}
