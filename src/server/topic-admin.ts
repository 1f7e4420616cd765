/**
 * Creating, deleting and extending topics as clients ask for it: checks what is the broker's to
 * check (settings, what is enabled), then leaves the decision to the controller.
 */
import type { BrokerConfig } from '../common/config/broker-config.ts'
import type { ConfigEntries } from '../common/config/config.ts'
import type { TopicConfig } from '../common/config/topic-config.ts'
import { KafkaError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import type { ConfigRepository } from './config-repository.ts'
import type { Controller, CreatedTopic } from './controller/controller.ts'
import type { ClusterView, Decision } from './controller/partition-change.ts'
import { checkTopicName, type NewTopic } from './controller/topic-plan.ts'

/** Topics of the broker's own, which clients see as internal. */
export const INTERNAL_TOPICS: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
])

export interface TopicRequest extends NewTopic {
  readonly configs: ConfigEntries
  /** The id it shall have; undefined for a new one. */
  readonly topicId?: string
}

export class TopicAdmin {
  readonly #config: BrokerConfig
  readonly #configs: ConfigRepository
  readonly #controller: Controller
  readonly #log: Logger
  /** Topics whose creation was set off by a request for their metadata and is under way. */
  readonly #creating = new Map<string, Promise<void>>()

  constructor(options: {
    config: BrokerConfig
    configs: ConfigRepository
    controller: Controller
    log: Logger
  }) {
    this.#config = options.config
    this.#configs = options.configs
    this.#controller = options.controller
    this.#log = options.log
  }

  /** Creates a topic; when this resolves, clients can use it at once. Throws KafkaError. */
  async create(
    request: TopicRequest,
    validateOnly: boolean,
  ): Promise<CreatedTopic & { config: TopicConfig }> {
    const config = this.#configs.checkTopic(request.configs)
    const { topicId, ...plan } = request
    const created = await this.#controller.createTopic(
      {
        ...plan,
        configs: Object.fromEntries(request.configs),
        ...(topicId === undefined ? {} : { topicId }),
      },
      validateOnly,
    )
    return { ...created, config }
  }

  /**
   * Starts to create a topic because a client asked for its metadata. Returns the error code's name
   * that the client is to be told for now: it will ask again.
   */
  createAutomatically(name: string): 'UNKNOWN_TOPIC_OR_PARTITION' | 'INVALID_TOPIC_EXCEPTION' {
    try {
      checkTopicName(name)
    } catch {
      return 'INVALID_TOPIC_EXCEPTION'
    }
    if (!this.#creating.has(name)) {
      const request = { name, numPartitions: -1, replicationFactor: -1, assignments: [] }
      const creating = this.create({ ...request, configs: new Map() }, false)
        .then(() => {})
        .catch((error: unknown) => {
          // Two clients may have asked at once; any other reason is worth a line.
          if (error instanceof KafkaError && error.errorName === 'TOPIC_ALREADY_EXISTS') return
          this.#log.warn(`could not create the topic ${name} that a client asked for`, error)
        })
        .finally(() => this.#creating.delete(name))
      this.#creating.set(name, creating)
    }
    return 'UNKNOWN_TOPIC_OR_PARTITION'
  }

  /** Deletes a topic and its data. Throws KafkaError. */
  async delete(name: string): Promise<void> {
    if (!this.#config.get('delete.topic.enable')) {
      throw new KafkaError('TOPIC_DELETION_DISABLED')
    }
    await this.#controller.deleteTopic(name)
  }

  /** Adds partitions to a topic. Throws KafkaError. */
  async createPartitions(
    name: string,
    wanted: { count: number; assignments: readonly (readonly number[])[] | null },
    validateOnly: boolean,
  ): Promise<void> {
    await this.#controller.createPartitions(name, wanted, validateOnly)
  }

  /** The controller's epoch, and how many changes of metadata there have been. */
  controllerProgress(): Promise<{ epoch: number; changes: number }> {
    return this.#controller.progress()
  }

  /** Has the controller decide about partitions: see `Controller.changePartitions`. */
  changePartitions<T>(decide: (view: ClusterView) => Decision<T>): Promise<T> {
    return this.#controller.changePartitions(decide)
  }
}
