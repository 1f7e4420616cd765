/** Limits on the traffic of a reassignment, which are settings of topics and brokers (KIP-73). */
import type { Admin } from '../../clients/admin/admin.ts'
import type { OngoingReassignment } from '../../clients/admin/partitions.ts'
import { partitionName } from '../../clients/topic-partition.ts'
import { inHashOrder, stringHash } from '../support/java-hash-order.ts'
import { printLine, type ToolIo } from '../support/tool.ts'
import type { PartitionTarget } from './reassignment-file.ts'

const LEADER_REPLICAS = 'leader.replication.throttled.replicas'
const FOLLOWER_REPLICAS = 'follower.replication.throttled.replicas'
const LEADER_RATE = 'leader.replication.throttled.rate'
const FOLLOWER_RATE = 'follower.replication.throttled.rate'
const LOG_DIR_RATE = 'replica.alter.log.dirs.io.max.bytes.per.second'

/** From which brokers a partition is copied, and to which. */
interface Move {
  readonly topic: string
  readonly partition: number
  readonly sources: ReadonlySet<number>
  readonly destinations: ReadonlySet<number>
}

/** What moves: what is under way already, and what is planned. */
export function plannedMoves(
  ongoing: readonly OngoingReassignment[],
  planned: readonly PartitionTarget[],
  current: ReadonlyMap<string, PartitionTarget>,
): Move[] {
  const moves = new Map<string, Move>()
  for (const { topic, partition, replicas, addingReplicas } of ongoing) {
    const destinations = new Set(addingReplicas)
    const sources = new Set(replicas).difference(destinations)
    moves.set(partitionName({ topic, partition }), { topic, partition, sources, destinations })
  }
  for (const { topic, partition, replicas } of planned) {
    const name = partitionName({ topic, partition })
    const sources = moves.get(name)?.sources ?? new Set(current.get(name)!.replicas)
    const destinations = new Set(replicas).difference(sources)
    moves.set(name, { topic, partition, sources, destinations })
  }
  return [...moves.values()]
}

/** Limits what is copied between brokers, in bytes per second. */
export async function throttleBrokers(
  admin: Admin,
  moves: readonly Move[],
  bytesPerSecond: number,
  io: ToolIo,
): Promise<void> {
  const byTopic = Map.groupBy(moves, ({ topic }) => topic)
  const pairs = (all: readonly Move[], brokersOf: (move: Move) => Iterable<number>) => {
    const texts = all.flatMap((move) =>
      [...brokersOf(move)].map((brokerId) => `${move.partition}:${brokerId}`),
    )
    return [...new Set(texts)].sort().join(',')
  }
  await admin.alterConfigs(
    [...byTopic].map(([name, all]) => ({
      ...{ type: 'topic' as const, name },
      set: {
        [LEADER_REPLICAS]: pairs(all, ({ sources }) => sources),
        [FOLLOWER_REPLICAS]: pairs(all, ({ destinations }) => destinations),
      },
    })),
  )
  const brokers = new Set(
    moves.flatMap(({ sources, destinations }) => [...sources, ...destinations]),
  )
  const rate = String(bytesPerSecond)
  await setOnBrokers(admin, brokers, { [LEADER_RATE]: rate, [FOLLOWER_RATE]: rate })
  printLine(io.stdout, `The inter-broker throttle limit was set to ${bytesPerSecond} B/s`)
}

/** Limits what is copied between folders of one broker, in bytes per second. */
export async function throttleLogDirs(
  admin: Admin,
  brokers: Iterable<number>,
  bytesPerSecond: number,
  io: ToolIo,
): Promise<void> {
  await setOnBrokers(admin, brokers, { [LOG_DIR_RATE]: String(bytesPerSecond) })
  printLine(io.stdout, `The replica-alter-dir throttle limit was set to ${bytesPerSecond} B/s`)
}

async function setOnBrokers(admin: Admin, ids: Iterable<number>, set: Record<string, string>) {
  const changes = [...new Set(ids)].map((id) => ({ type: 'broker' as const, name: `${id}`, set }))
  if (changes.length > 0) await admin.alterConfigs(changes)
}

/** Takes all limits away: of all brokers, and of the topics of the plan. */
export async function clearThrottles(
  admin: Admin,
  plan: readonly PartitionTarget[],
  io: ToolIo,
): Promise<void> {
  const cluster = await admin.describeCluster()
  const brokers = new Set([
    ...cluster.brokers.map(({ id }) => id),
    ...plan.flatMap(({ replicas }) => replicas),
  ])
  const ids = inHashOrder(brokers, (id) => id)
  const plural = (count: number) => (count === 1 ? '' : 's')
  printLine(
    io.stdout,
    `Clearing broker-level throttles on broker${plural(ids.length)} ${ids.join(',')}`,
  )
  const brokerKeys = [LEADER_RATE, FOLLOWER_RATE, LOG_DIR_RATE]
  await admin.alterConfigs(
    ids.map((id) => ({ type: 'broker' as const, name: String(id), delete: brokerKeys })),
  )
  const topics = inHashOrder(new Set(plan.map(({ topic }) => topic)), stringHash)
  printLine(
    io.stdout,
    `Clearing topic-level throttles on topic${plural(topics.length)} ${topics.join(',')}`,
  )
  const topicKeys = [LEADER_REPLICAS, FOLLOWER_REPLICAS]
  await admin.alterConfigs(
    topics.map((name) => ({ type: 'topic' as const, name, delete: topicKeys })),
  )
}
