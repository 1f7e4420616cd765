/** Orders that do not depend on who looks: code units decide, as in Java, and not a language. */
import type { SubscribedMember } from './assignor.ts'

export function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/**
 * Static members first, by instance id, so that they keep their place when they come back under
 * another member id.
 */
export function byInstanceThenMemberId(a: SubscribedMember, b: SubscribedMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return compareText(a.instanceId, b.instanceId)
  if (a.instanceId !== null) return -1
  if (b.instanceId !== null) return 1
  return compareText(a.memberId, b.memberId)
}
