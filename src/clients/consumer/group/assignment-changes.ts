/**
 * Changes of what a consumer is assigned, with the calls of its listener around them. What the
 * listener throws is given back to the caller, who first brings the change to its end: the group
 * has decided, whatever the listener thinks of it.
 */
import { comparePartitions, partitionName, type TopicPartition } from '../../topic-partition.ts'
import type { MembershipHost } from './group-membership.ts'

/** What a listener threw, or undefined. */
export interface ListenerFailure {
  readonly error: unknown
}

export class AssignmentChanges {
  readonly #host: MembershipHost

  constructor(host: MembershipHost) {
    this.#host = host
  }

  /** What would go and what would come if the consumer were to have `next`. */
  compare(next: readonly TopicPartition[]) {
    const owned = this.#host.subscription.assigned()
    return { revoked: without(owned, next), added: without(next, owned) }
  }

  /** Tells that partitions are about to be given away, and takes them off the assignment. */
  async revoke(partitions: readonly TopicPartition[]): Promise<ListenerFailure | undefined> {
    if (partitions.length === 0) return undefined
    this.#log('Revoke', partitions)
    this.#host.observer.rebalanced('revoked', partitions)
    const { listener } = this.#host.subscription
    const failure = await attempt(() => listener?.onPartitionsRevoked?.([...partitions]))
    this.#drop(partitions)
    return failure
  }

  /** Tells that partitions are somebody else's already, and takes them off the assignment. */
  async lose(partitions: readonly TopicPartition[]): Promise<ListenerFailure | undefined> {
    if (partitions.length === 0) return undefined
    this.#log('Lost', partitions)
    this.#host.observer.rebalanced('lost', partitions)
    const { subscription } = this.#host
    subscription.markPendingRevocation(partitions)
    await this.#host.beforeRevoke(partitions)
    const { listener } = subscription
    const failure = await attempt(() =>
      listener?.onPartitionsLost === undefined
        ? listener?.onPartitionsRevoked?.([...partitions])
        : listener.onPartitionsLost([...partitions]),
    )
    this.#drop(partitions)
    return failure
  }

  /** Applies an assignment and tells what is new in it, be it nothing. */
  async assign(
    partitions: readonly TopicPartition[],
    added: readonly TopicPartition[],
  ): Promise<ListenerFailure | undefined> {
    const { subscription } = this.#host
    if (!subscription.isGroupManaged) return undefined
    this.#log('Adding newly assigned', added)
    if (added.length > 0) this.#host.observer.rebalanced('assigned', added)
    subscription.assignFromGroup(partitions, true)
    const { listener } = subscription
    const failure = await attempt(() => listener?.onPartitionsAssigned?.([...added]))
    subscription.enable(added)
    return failure
  }

  #drop(partitions: readonly TopicPartition[]): void {
    const { subscription } = this.#host
    // The listener may have unsubscribed.
    if (!subscription.isGroupManaged) return
    subscription.assignFromGroup(without(subscription.assigned(), partitions))
  }

  #log(what: string, partitions: readonly TopicPartition[]): void {
    const names = [...partitions].sort(comparePartitions).map(partitionName).join(', ')
    this.#host.environment.log.info(`${what} partitions: [${names}]`)
  }
}

/** Throws what a listener threw, the first of several. */
export function throwFirst(...failures: readonly (ListenerFailure | undefined)[]): void {
  for (const failure of failures) if (failure !== undefined) throw failure.error
}

async function attempt(
  call: () => void | Promise<void> | undefined,
): Promise<ListenerFailure | undefined> {
  try {
    await call()
    return undefined
  } catch (error) {
    return { error }
  }
}

function without(
  partitions: readonly TopicPartition[],
  others: readonly TopicPartition[],
): TopicPartition[] {
  const names = new Set(others.map(partitionName))
  return partitions.filter((partition) => !names.has(partitionName(partition)))
}
