/** The controller's way to the broker in which it runs: direct calls, no request in between. */
import type { ConfigRepository } from './config-repository.ts'
import type { ControlChannel } from './controller/control-channel.ts'
import type { MetadataCache, MetadataUpdate } from './metadata-cache.ts'
import type { LeaderAndIsr } from './partition.ts'
import type { ReplicaManager } from './replica-manager.ts'

export class LocalControlChannel implements ControlChannel {
  readonly #replicaManager: ReplicaManager
  readonly #metadata: MetadataCache
  readonly #configs: ConfigRepository

  constructor(options: {
    replicaManager: ReplicaManager
    metadata: MetadataCache
    configs: ConfigRepository
  }) {
    this.#replicaManager = options.replicaManager
    this.#metadata = options.metadata
    this.#configs = options.configs
  }

  async leaderAndIsr(states: readonly LeaderAndIsr[]): Promise<number[]> {
    // A log is created with its topic's settings, which the controller has written before.
    const newTopics = new Set(states.filter((state) => state.isNew).map((state) => state.topic))
    for (const topic of newTopics) await this.#configs.refreshTopic(topic)
    return await this.#replicaManager.applyLeaderAndIsr(states)
  }

  async updateMetadata(update: MetadataUpdate): Promise<void> {
    this.#metadata.apply(update)
  }

  async stopReplicas(
    partitions: readonly { topic: string; partitionIndex: number }[],
    deleteLogs: boolean,
  ): Promise<void> {
    // All at once, so that one write of the checkpoints serves them all.
    await Promise.all(
      partitions.map(({ topic, partitionIndex }) =>
        this.#replicaManager.stopReplica(topic, partitionIndex, deleteLogs),
      ),
    )
    if (!deleteLogs) return
    for (const { topic } of partitions) this.#configs.forgetTopic(topic)
  }
}
