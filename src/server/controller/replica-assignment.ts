/**
 * Which brokers get the replicas of a new topic's partitions: Kafka's own scheme without racks.
 *
 * First replicas go round the brokers from a random start. Each further replica of a partition is
 * shifted against the first, by one more each time the partitions have gone round, so that the
 * partitions led by a broker that fails do not all fall to the same other one. Three brokers,
 * replication factor 2, start 0:
 *
 * ```
 *   partition   0     1     2     3     4     5
 *   replicas   0,1   1,2   2,0   0,2   1,0   2,1
 * ```
 */
import type { Random } from '../../common/random.ts'

/**
 * Replica lists for the partitions `from` (inclusive) to `to` (exclusive). The caller has made sure
 * that there are at least `replicationFactor` brokers.
 */
export function assignReplicas(options: {
  brokerIds: readonly number[]
  replicationFactor: number
  from: number
  to: number
  random: Random
}): number[][] {
  const { replicationFactor, from, to, random } = options
  const brokers = [...options.brokerIds].sort((a, b) => a - b)
  const start = random.int(brokers.length)
  let shift = random.int(brokers.length)
  const assignment: number[][] = []
  for (let partition = from; partition < to; partition++) {
    if (partition > 0 && partition % brokers.length === 0) shift += 1
    const first = (partition + start) % brokers.length
    const replicas = [brokers[first]!]
    for (let j = 0; j < replicationFactor - 1; j++) {
      const distance = 1 + ((shift + j) % (brokers.length - 1))
      replicas.push(brokers[(first + distance) % brokers.length]!)
    }
    assignment.push(replicas)
  }
  return assignment
}
