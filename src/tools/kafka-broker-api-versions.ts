/** `kafka-broker-api-versions.sh`: the APIs that each broker serves, in which versions. */
import type { Admin } from '../clients/admin/admin.ts'
import type { ClusterDescription, ServedApi } from '../clients/admin/cluster.ts'
import { APIS } from '../protocol/messages/index.ts'
import { openAdmin } from './support/client-settings.ts'
import { defineOptions } from './support/options.ts'
import { isForeseen, printLine, type Tool, withTrace } from './support/tool.ts'

const OPTIONS = defineOptions({
  about: 'This tool helps to retrieve broker version information.',
  onUnreadable: 'throw',
  options: {
    'bootstrap-server': {
      argument: 'server(s) to use for bootstrapping',
      about: 'REQUIRED: The broker to connect to, as host:port.',
    },
    'command-config': {
      argument: 'command config property file',
      about: 'A file with settings of the admin client.',
    },
  },
})

type DescribedBroker = ClusterDescription['brokers'][number]

/**
 * APIs of Kafka 4.2 that clients may use and that ours do not: their names, for those who compare
 * brokers by what they serve.
 */
const UNUSED_APIS: ReadonlyMap<number, string> = new Map([
  [80, 'AddRaftVoter'],
  [81, 'RemoveRaftVoter'],
])

/** APIs between brokers, which a broker that does not serve them is not blamed for. */
const BROKER_APIS: ReadonlySet<string> = new Set([
  'LeaderAndIsr',
  'StopReplica',
  'UpdateMetadata',
  'ControlledShutdown',
])

async function describe(admin: Admin, broker: DescribedBroker): Promise<string> {
  const { id, host, port, rack, isFenced } = broker
  const node = `${host}:${port} (id: ${id} rack: ${rack} isFenced: ${isFenced})`
  try {
    return `${node} -> ${describeApis(await admin.brokerApiVersions(id))}`
  } catch (error) {
    if (!isForeseen(error)) throw error
    return `${node} -> ERROR: ${error.message}`
  }
}

function describeApis(served: readonly ServedApi[]): string {
  const texts = new Map(served.map((api) => [api.apiKey, describeApi(api)]))
  const known = [...APIS.map(({ key, name }) => [key, name] as const), ...UNUSED_APIS]
  for (const [key, name] of known) {
    if (texts.has(key) || BROKER_APIS.has(name)) continue
    texts.set(key, `${name}(${key}): UNSUPPORTED`)
  }
  const lines = [...texts].sort(([a], [b]) => a - b).map(([, text]) => text)
  return `(\n\t${lines.join(',\n\t')}\n)`
}

function describeApi({ apiKey, name, versions, usable }: ServedApi): string {
  const { min, max } = versions
  const range = min === max ? String(min) : `${min} to ${max}`
  if (name === undefined) return `${UNUSED_APIS.get(apiKey) ?? 'UNKNOWN'}(${apiKey}): ${range}`
  if (usable !== undefined) return `${name}(${apiKey}): ${range} [usable: ${usable}]`
  const isTooNew = APIS.find(({ key }) => key === apiKey)!.versions.max < min
  return `${name}(${apiKey}): ${range} [unusable: node too ${isTooNew ? 'new' : 'old'}]`
}

export const kafkaBrokerApiVersions: Tool = withTrace(async (args, io) => {
  const options = OPTIONS.parse(args)
  options.checkRequired('bootstrap-server')
  await using admin = openAdmin({
    bootstrapServer: options.value('bootstrap-server'),
    commandConfig: options.value('command-config'),
    io,
  })
  const { brokers } = await admin.describeCluster()
  for (const broker of brokers) printLine(io.stdout, await describe(admin, broker))
  return 0
})
