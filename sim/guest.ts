/**
 * Guests are parts of the workload that not every room has: each brings topics and clients of its
 * own, and a model of what the broker must know of them. They stay over all lives of the broker.
 */
import type { Clock } from '../src/common/clock.ts'
import type { Disk } from '../src/common/disk.ts'
import { ErrorCode, errorName } from '../src/common/errors.ts'
import type { CoordinatorClient } from './coordinator-client.ts'
import { Violation } from './partition-model.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Life } from './workload.ts'

/** Somebody who is busy during one life of the broker. */
export interface Actor {
  run(life: Life): Promise<void>
}

export interface Guest {
  /** Whoever works in the life that begins. */
  actors(): readonly Actor[]
  /** Right after a start of the broker: throws a Violation if something is not as it must be. */
  verify(): Promise<void>
  /** At the very end, when nobody works any more: what was open must have come to an end. */
  settle(): Promise<void>
  /** A life of the broker has ended. */
  crashed(end: LifeEnd): void
  /** A life has ended, and this is what its recovery-point checkpoints say. */
  noteRecoveryPoints?(points: readonly RecoveryPoint[]): void
  /** The files of a broker that was stopped in order. */
  checkFiles?(disk: Disk, directories: readonly string[]): void
}

/** Everything below the offset is said to be durable. */
export interface RecoveryPoint {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export interface LifeEnd {
  readonly kind: 'power' | 'kill' | 'stop'
  /** Records that were acknowledged may be gone, because nobody had to flush them. */
  readonly isLossy: boolean
  /** The disk has failed meanwhile. */
  readonly hadFaults: boolean
}

export interface GuestOptions {
  readonly clock: Clock
  readonly random: SeededRandom
  /** A new client each time. */
  readonly connect: () => CoordinatorClient
}

/** A topic that is created once and stays. */
export class GuestTopic {
  readonly name: string
  readonly partitions: number
  readonly #configs: ReadonlyMap<string, string>
  readonly isCompacted: boolean
  /** Its creation has been acknowledged. */
  exists = false

  constructor(name: string, partitions: number, configs: ReadonlyMap<string, string>) {
    this.name = name
    this.partitions = partitions
    this.#configs = configs
    this.isCompacted = configs.get('cleanup.policy') === 'compact'
  }

  /** Creates the topic if need be; false where the disk has not allowed it. */
  async ensure(client: CoordinatorClient, life: Life): Promise<boolean> {
    if (this.exists) return true
    const { name, partitions } = this
    const { errorCode } = await client.broker.createTopic(name, partitions, this.#configs)
    if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.TOPIC_ALREADY_EXISTS) {
      if (life.hasFaults) return false
      throw new Violation(`CreateTopics of ${name}: ${errorName(errorCode)}`)
    }
    // Two that ask at once: the second learns of the topic before it can be used.
    this.exists = errorCode === ErrorCode.NONE || life.hasFaults
    return this.exists
  }

  /** After a start: whether a creation of unknown outcome has happened after all. */
  async settle(client: CoordinatorClient): Promise<boolean> {
    if (this.exists) return true
    const { errorCode } = await client.broker.describeTopic(this.name)
    this.exists = errorCode === ErrorCode.NONE
    return this.exists
  }
}

/** What a client hears of a coordinator that is not ready, and comes again after. */
export const RETRIABLE: ReadonlySet<number> = new Set([
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.NOT_ENOUGH_REPLICAS,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.UNSTABLE_OFFSET_COMMIT,
])
