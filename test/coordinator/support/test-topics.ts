import type { TopicImage } from '../../../src/coordinator/group/topic-image.ts'

/** Topics as group coordinators see them, for tests to change. */
export class TestTopics implements TopicImage {
  readonly #topics = new Map<string, { topicId: string; partitions: number }>()
  #nextId = 1

  /** Makes a topic, or another in place of one of that name. Returns its id. */
  create(name: string, partitions: number): string {
    const topicId = Buffer.alloc(16, this.#nextId++).toString('base64url')
    this.#topics.set(name, { topicId, partitions })
    return topicId
  }

  grow(name: string, partitions: number): void {
    this.#topics.get(name)!.partitions = partitions
  }

  delete(name: string): void {
    this.#topics.delete(name)
  }

  topicId(name: string): string | undefined {
    return this.#topics.get(name)?.topicId
  }

  topicName(topicId: string): string | undefined {
    return [...this.#topics].find(([, topic]) => topic.topicId === topicId)?.[0]
  }

  partitionCount(name: string): number | undefined {
    return this.#topics.get(name)?.partitions
  }

  names(): Iterable<string> {
    return this.#topics.keys()
  }
}

/** Settings of consumer groups. */
export const CONSUMER_CONFIG = {
  assignors: ['uniform', 'range'],
  maxSize: 5,
  migrationPolicy: 'bidirectional',
  sessionTimeoutMs: () => 45_000,
  heartbeatIntervalMs: () => 5000,
}

/** Settings of share groups. */
export const SHARE_CONFIG = {
  maxSize: 5,
  initializeRetryIntervalMs: 30_000,
  sessionTimeoutMs: () => 45_000,
  heartbeatIntervalMs: () => 5000,
}
