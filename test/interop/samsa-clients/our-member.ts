/** A member of a group that is our consumer, and tells what GroupMember.java tells of itself. */
import {
  CommitFailedError,
  Consumer,
  KafkaError,
  type TopicPartition,
} from '../../../src/clients/index.ts'
import type { MemberEvent } from '../harness/java-members.ts'

const numbersOf = (partitions: readonly TopicPartition[]) =>
  partitions.map(({ partition }) => partition).sort((a, b) => a - b)

export class OurMember {
  readonly name: string
  readonly events: MemberEvent[] = []
  readonly #consumer: Consumer
  readonly #running: Promise<void>
  #isLeaving = false

  /** Joins; `settings` are Kafka's. */
  constructor(name: string, topic: string, settings: Record<string, string>) {
    this.name = name
    this.#consumer = new Consumer({
      ...settings,
      ...{ autoOffsetReset: 'earliest', enableAutoCommit: false, allowAutoCreateTopics: false },
    })
    this.#consumer.subscribe(topic, {
      onPartitionsAssigned: () => this.#tell('assigned', numbersOf(this.#consumer.assignment())),
      onPartitionsRevoked: async (partitions) => {
        await this.#consumer.commitSync()
        this.#tell('revoked', numbersOf(partitions))
      },
      onPartitionsLost: (partitions) => this.#tell('lost', numbersOf(partitions)),
    })
    this.#running = this.#run()
    // A test that fails for another reason must not die of this.
    this.#running.catch(() => {})
  }

  /** Leaves the group. Rejects with what has kept the member from its work. */
  async end(): Promise<void> {
    this.#isLeaving = true
    await this.#running
    await this.#consumer.close()
  }

  /** Ends without asking how it went: for a test that has failed already. */
  async abandon(): Promise<void> {
    this.#isLeaving = true
    await this.#consumer.close({ timeoutMs: 1000 }).catch(() => {})
    await this.#running.catch(() => {})
  }

  async #run(): Promise<void> {
    while (!this.#isLeaving) {
      const records = await this.#consumer.poll({ timeoutMs: 100 })
      for (const { partition, records: some } of records.byPartition()) {
        this.#tell('read', [partition, some[0]!.offset, some.at(-1)!.offset])
      }
      if (records.isEmpty) continue
      try {
        await this.#consumer.commitSync()
      } catch (error) {
        // The next poll takes part in the rebalance, before which the listener commits.
        const isLater = error instanceof KafkaError && error.errorName === 'REBALANCE_IN_PROGRESS'
        if (!isLater && !(error instanceof CommitFailedError)) throw error
        this.#tell('rebalance', [])
      }
    }
  }

  #tell(event: string, numbers: number[]): void {
    // The clock that Java's System.nanoTime reads as well.
    this.events.push({ member: this.name, atNanos: process.hrtime.bigint(), event, numbers })
  }
}
