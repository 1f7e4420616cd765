/**
 * `roundrobin`: all partitions of all topics in order, dealt out to the members in turn. A member
 * that does not subscribe to a topic is passed over.
 *
 * ```
 * two members, two topics with three partitions each
 *   A: t1-0 t1-2 t2-1
 *   B: t1-1 t2-0 t2-2
 * ```
 * Every choice is as in Java's client.
 */
import type { TopicPartition } from '../../topic-partition.ts'
import type { Assignor } from './assignor.ts'
import { byInstanceThenMemberId, compareText } from './member-order.ts'

export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  protocol: 'eager',

  assign(topics, members) {
    const order = [...members.values()].sort(byInstanceThenMemberId)
    const subscriptions = order.map((member) => new Set(member.topics))
    const assigned = order.map((): TopicPartition[] => [])
    let next = 0
    for (const name of [...topics.keys()].sort(compareText)) {
      if (!subscriptions.some((subscribed) => subscribed.has(name))) continue
      const { partitionCount } = topics.get(name)!
      for (let partition = 0; partition < partitionCount; partition++) {
        while (!subscriptions[next]!.has(name)) next = (next + 1) % order.length
        assigned[next]!.push({ topic: name, partition })
        next = (next + 1) % order.length
      }
    }
    return new Map(order.map(({ memberId }, turn) => [memberId, { partitions: assigned[turn]! }]))
  },
}
