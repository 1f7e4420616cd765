/** `kafka-log-dirs.sh`: what is in the log folders of brokers, as JSON. */
import type { LogDir, LogDirReplica } from '../clients/admin/log-dirs.ts'
import { partitionName } from '../clients/topic-partition.ts'
import { openAdmin } from './support/client-settings.ts'
import { inHashOrder, partitionHash, stringHash } from './support/java-hash-order.ts'
import { defineOptions } from './support/options.ts'
import { javaText, printLine, type Tool, ToolError, ToolExit, withTrace } from './support/tool.ts'

const OPTIONS = defineOptions({
  about: 'This tool helps to query log directory usage on the specified brokers.',
  onUnreadable: 'throw',
  options: {
    'bootstrap-server': {
      argument: 'The server(s) to use for bootstrapping',
      about: 'REQUIRED: The broker to connect to, as host:port.',
    },
    'command-config': {
      argument: 'Admin client property file',
      about: 'A file with settings of the admin client.',
    },
    describe: { about: 'REQUIRED: Print what is in the folders.' },
    'topic-list': {
      argument: 'Topic list',
      default: '',
      about: 'Only these topics: topic1,topic2. Else all.',
    },
    'broker-list': {
      argument: 'Broker list',
      default: '',
      about: 'Only the folders of these brokers: 0,1,2. Else of all.',
    },
  },
})

function listOf(text: string): string[] {
  return [...new Set(text.split(',').filter((part) => part !== ''))]
}

function brokersOf(text: string): number[] {
  return listOf(text).map((part) => {
    if (/^[+-]?\d+$/.test(part)) return Number(part)
    const className = 'java.lang.NumberFormatException'
    throw new ToolError(`For input string: "${part}"`, { className })
  })
}

function describeDir({ path, error, replicas }: LogDir, topics: readonly string[]) {
  const isMeant = ({ topic }: LogDirReplica) => topics.length === 0 || topics.includes(topic)
  return {
    partitions: inHashOrder(replicas.filter(isMeant), partitionHash).map((replica) => ({
      partition: partitionName(replica),
      size: replica.sizeInBytes,
      offsetLag: replica.offsetLag,
      isFuture: replica.isFuture,
    })),
    error: error === undefined ? null : javaText(error).split(': ')[0],
    logDir: path,
  }
}

export const kafkaLogDirs: Tool = withTrace(async (args, io) => {
  const options = OPTIONS.parse(args)
  options.checkRequired('bootstrap-server', 'describe')
  await using admin = openAdmin({
    bootstrapServer: options.value('bootstrap-server'),
    commandConfig: options.value('command-config'),
    defaults: new Map([['client.id', 'log-dirs-tool']]),
    io,
  })
  const topics = listOf(options.required('topic-list'))
  const cluster = (await admin.describeCluster()).brokers.map(({ id }) => id)
  const asked = brokersOf(options.required('broker-list'))
  const unknown = asked.filter((id) => !cluster.includes(id))
  if (unknown.length > 0) {
    const there = `Current existent brokers: ${cluster.join(',')}`
    const message = `The given brokers do not exist from --broker-list: ${unknown}. ${there}`
    throw new ToolExit(1, { stderr: `ERROR: ${message}\n` })
  }
  const brokers = asked.length === 0 ? cluster : asked
  printLine(io.stdout, 'Querying brokers for log directories information')
  const found = await admin.describeLogDirs(brokers)
  printLine(io.stdout, `Received log directory information from brokers ${brokers.join(',')}`)
  const described = [...found].map(([broker, dirs]) => ({
    broker,
    logDirs: inHashOrder(dirs, ({ path }) => stringHash(path)).map((dir) =>
      describeDir(dir, topics),
    ),
  }))
  printLine(io.stdout, JSON.stringify({ brokers: described, version: 1 }))
  return 0
})
