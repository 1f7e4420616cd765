/**
 * Which brokers `--generate` proposes: first replicas go round the brokers from a random start, the
 * others follow at a distance that grows each time the partitions have gone round. With racks, the
 * brokers of different racks take turns, and no rack has two replicas of a partition before each
 * has one (KIP-36).
 */
import type { Random } from '../../common/random.ts'
import { ToolError } from '../support/tool.ts'

export interface BrokerInRack {
  readonly id: number
  readonly rack: string | null
}

/** The brokers of each partition. Throws ToolError if there are too few. */
export function proposeReplicas(
  given: readonly BrokerInRack[],
  partitionCount: number,
  replicationFactor: number,
  random: Random,
): number[][] {
  if (replicationFactor > given.length) {
    const className = 'org.apache.kafka.common.errors.InvalidReplicationFactorException'
    const because = `because only ${given.length} broker(s) are registered.`
    const message =
      given.length === 0
        ? 'All brokers are currently fenced.'
        : `The target replication factor of ${replicationFactor} cannot be reached ${because}`
    throw new ToolError(message, { className })
  }
  const brokers = takingTurns(given)
  const rackCount = new Set(brokers.map(({ rack }) => rack)).size
  const start = random.int(brokers.length)
  let shift = random.int(brokers.length)
  return Array.from({ length: partitionCount }, (_, partition) => {
    if (partition > 0 && partition % brokers.length === 0) shift += 1
    const first = (partition + start) % brokers.length
    const chosen = [brokers[first]!]
    for (let step = 0; chosen.length < replicationFactor; step++) {
      const distance = 1 + ((shift + step) % (brokers.length - 1))
      const broker = brokers[(first + distance) % brokers.length]!
      const racks = new Set(chosen.map(({ rack }) => rack))
      const isRackFree = !racks.has(broker.rack) || racks.size === rackCount
      if (isRackFree && !chosen.includes(broker)) chosen.push(broker)
    }
    return chosen.map(({ id }) => id)
  })
}

/** The brokers by id, one of each rack after the other. */
function takingTurns(brokers: readonly BrokerInRack[]): BrokerInRack[] {
  const sorted = brokers.toSorted((a, b) => a.id - b.id)
  const racks = [...Map.groupBy(sorted, ({ rack }) => rack).entries()]
    .sort(([a], [b]) => ((a ?? '') < (b ?? '') ? -1 : 1))
    .map(([, members]) => members)
  const rounds = Math.max(0, ...racks.map((members) => members.length))
  return Array.from({ length: rounds }, (_, round) =>
    racks.flatMap((members) => members[round] ?? []),
  ).flat()
}
