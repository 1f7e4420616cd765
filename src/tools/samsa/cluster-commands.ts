/** `samsa cluster health|info`. */
import type { Command } from 'commander'
import type { Admin, TopicMetadata } from '../../clients/index.ts'
import { printLine } from '../support/tool.ts'
import { printJson, printTable } from './output.ts'
import type { RunCommand } from './program.ts'
import type { Session } from './session.ts'

export function addClusterCommands(cluster: Command, run: RunCommand): void {
  cluster
    .command('health')
    .description('whether every partition can be read and written; exit code 1 if not')
    .action(run(health))
  cluster.command('info').description('the brokers and the id of the cluster').action(run(info))
}

async function health(session: Session): Promise<void> {
  const { admin, io, paint } = session
  const [cluster, topics] = await Promise.all([
    admin.describeCluster(),
    admin.listTopics({ includeInternal: true }),
  ])
  const leaderless = partitionNames(topics, ({ leaderId }) => leaderId < 0)
  const underReplicated = partitionNames(
    topics,
    ({ inSyncReplicas, replicas }) => inSyncReplicas.length < replicas.length,
  )
  const found = {
    clusterId: cluster.clusterId,
    controllerId: cluster.controllerId,
    brokers: cluster.brokers.map(({ id }) => id),
    fencedBrokers: cluster.brokers.filter(({ isFenced }) => isFenced).map(({ id }) => id),
    partitions: topics.reduce((sum, { partitions }) => sum + partitions.length, 0),
    leaderlessPartitions: leaderless,
    underReplicatedPartitions: underReplicated,
    offlineLogDirs: await offlineLogDirs(
      admin,
      cluster.brokers.map(({ id }) => id),
    ),
  }
  const problems = [
    found.controllerId < 0 ? ['controller'] : [],
    ...[found.fencedBrokers, leaderless, underReplicated, found.offlineLogDirs],
  ]
  const isHealthy = problems.every((list) => list.length === 0)
  if (!isHealthy) session.failed = true
  if (session.json) return printJson(io, { healthy: isHealthy, ...found })
  const list = (items: readonly (string | number)[]) =>
    items.length === 0 ? paint('green', 'none') : paint('red', items.join(', '))
  const lines: [string, string][] = [
    ['HEALTHY', isHealthy ? paint('green', 'yes') : paint('red', 'no')],
    ['CLUSTER', found.clusterId],
    ['CONTROLLER', found.controllerId < 0 ? paint('red', 'none') : String(found.controllerId)],
    ['BROKERS', found.brokers.join(', ')],
    ['PARTITIONS', String(found.partitions)],
    ['FENCED BROKERS', list(found.fencedBrokers)],
    ['LEADERLESS', list(leaderless)],
    ['UNDER-REPLICATED', list(underReplicated)],
    ['OFFLINE LOG DIRS', list(found.offlineLogDirs)],
  ]
  for (const [label, text] of lines) {
    printLine(io.stdout, `${paint('bold', label.padEnd(16))}  ${text}`)
  }
}

function partitionNames(
  topics: readonly TopicMetadata[],
  isMeant: (partition: TopicMetadata['partitions'][number]) => boolean,
): string[] {
  return topics.flatMap(({ name, partitions }) =>
    partitions.filter(isMeant).map(({ partition }) => `${name}-${partition}`),
  )
}

async function offlineLogDirs(admin: Admin, brokerIds: readonly number[]): Promise<string[]> {
  const found = await admin.describeLogDirs(brokerIds)
  return [...found].flatMap(([brokerId, dirs]) =>
    dirs.filter(({ error }) => error !== undefined).map(({ path }) => `${brokerId}:${path}`),
  )
}

async function info(session: Session): Promise<void> {
  const { admin, io, paint } = session
  const cluster = await admin.describeCluster()
  if (session.json) return printJson(io, cluster)
  printLine(io.stdout, `${paint('bold', 'CLUSTER')}  ${cluster.clusterId}\n`)
  printTable(
    io.stdout,
    paint,
    [
      {
        heading: 'BROKER',
        cell: ({ id }) => (id === cluster.controllerId ? `${id}*` : String(id)),
      },
      { heading: 'HOST', cell: ({ host }) => host },
      { heading: 'PORT', cell: ({ port }) => port },
      { heading: 'RACK', cell: ({ rack }) => rack ?? '-' },
    ],
    cluster.brokers,
  )
}
