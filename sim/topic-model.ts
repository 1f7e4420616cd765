/**
 * What the clients know of one topic name: whether there is a topic of that name, and what it is
 * like. A request whose answer never came leaves this in doubt until the broker's next life, whose
 * first answers settle it.
 */
import type { PartitionModel } from './partition-model.ts'

/** A topic from its creation to its deletion. Another of the same name is another object. */
export interface Incarnation {
  /** Undefined where the answer to its creation did not come. */
  topicId: string | undefined
  readonly partitions: readonly PartitionModel[]
  readonly configs: Map<string, string>
  /** A change of configuration whose outcome is unknown. */
  configInDoubt: { key: string; value: string } | undefined
  /** Its deletion has been asked for: requests about it may fail from now on. */
  isBeingDeleted: boolean
}

export class TopicModel {
  readonly name: string
  /**
   * The topic may be deleted, and another be created by its name. Requests that name a topic could
   * then reach the wrong one, so such a topic is spoken of by its id, wherever requests have it.
   */
  readonly isDeletable: boolean
  /** Undefined while there is no topic of this name. */
  incarnation: Incarnation | undefined
  /** The request of unknown outcome that decides whether there is one. */
  inDoubt: 'creation' | 'deletion' | undefined

  constructor(name: string, isDeletable: boolean) {
    this.name = name
    this.isDeletable = isDeletable
  }

  /** The topic, if it certainly exists and is to stay. */
  get usable(): Incarnation | undefined {
    return this.inDoubt === undefined ? this.incarnation : undefined
  }
}
