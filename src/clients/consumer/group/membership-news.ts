/**
 * Whether something has happened since the application last had its turn. `wake` tells who waits at
 * the time; whoever is about to wait sees it here.
 */
import type { MembershipHost } from './group-membership.ts'

export class MembershipNews {
  readonly host: MembershipHost
  #isThere = false

  constructor(host: MembershipHost) {
    this.host = {
      ...{ cluster: host.cluster, config: host.config, environment: host.environment },
      ...{ subscription: host.subscription, assignors: host.assignors },
      observer: host.observer,
      beforeRevoke: (partitions) => host.beforeRevoke(partitions),
      onCommit: (offsets) => host.onCommit(offsets),
      wake: () => {
        this.#isThere = true
        host.wake()
      },
    }
  }

  get isThere(): boolean {
    return this.#isThere
  }

  /** The application has its turn. */
  seen(): void {
    this.#isThere = false
  }
}
