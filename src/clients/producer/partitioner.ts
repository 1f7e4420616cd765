/**
 * Partitioners: to which partition a record goes that does not name one.
 *
 * The default one takes the key's hash, and without a key stays with one partition until a batch
 * of it is full, since few large batches are cheaper than many small ones (KIP-480, KIP-794).
 */
import type { Random } from '../../common/random.ts'
import type { TopicMetadata } from '../cluster/cluster-metadata.ts'
import { partitionForKey } from './murmur2.ts'

export interface Partitioner {
  /** A number from 0 up to, and without, the number of partitions. */
  partition(topic: TopicMetadata, key: Uint8Array | null, value: Uint8Array | null): number

  /** A batch was begun in a partition because the one before it was full. */
  onNewBatch?(topic: string, partition: number): void
}

/** Of the partitions with a leader, or of all if there is none, the one chosen by `choose`. */
function amongAvailable({ partitions }: TopicMetadata, choose: (count: number) => number): number {
  const available = partitions.filter(({ leaderId }) => leaderId >= 0)
  if (available.length === 0) return choose(partitions.length)
  return available[choose(available.length)]!.partition
}

/** By key; without one, sticky. */
export class DefaultPartitioner implements Partitioner {
  readonly #random: Random
  readonly #ignoreKeys: boolean
  readonly #current = new Map<string, number>()

  constructor(random: Random, options: { ignoreKeys?: boolean } = {}) {
    this.#random = random
    this.#ignoreKeys = options.ignoreKeys ?? false
  }

  partition(topic: TopicMetadata, key: Uint8Array | null): number {
    if (key !== null && !this.#ignoreKeys) return partitionForKey(key, topic.partitions.length)
    let partition = this.#current.get(topic.name)
    if (partition === undefined || partition >= topic.partitions.length) {
      partition = amongAvailable(topic, (count) => this.#random.int(count))
      this.#current.set(topic.name, partition)
    }
    return partition
  }

  onNewBatch(topic: string, partition: number): void {
    if (this.#current.get(topic) === partition) this.#current.delete(topic)
  }
}

/** One partition after the other, whatever the key. */
export class RoundRobinPartitioner implements Partitioner {
  readonly #next = new Map<string, number>()

  partition(topic: TopicMetadata): number {
    const next = this.#next.get(topic.name) ?? 0
    this.#next.set(topic.name, next + 1)
    return amongAvailable(topic, (count) => next % count)
  }
}

/** Any partition, whatever the key. */
export class RandomPartitioner implements Partitioner {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  partition(topic: TopicMetadata): number {
    return amongAvailable(topic, (count) => this.#random.int(count))
  }
}
