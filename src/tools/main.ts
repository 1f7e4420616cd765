/**
 * The one entry point of all programs: `samsa COMMAND [ARG…]`. A command is loaded only when it is
 * asked for, so that starting a broker does not pay for the others.
 */
import { runAsProcess, type Tool } from './support/tool.ts'
import { version } from './version.ts'

type Command = (args: readonly string[]) => Promise<void>

const COMMANDS: Readonly<Record<string, { load: () => Promise<Command>; about: string }>> = {
  start: {
    load: async () => (await import('./start.ts')).start,
    about: 'start a broker: samsa start [server.properties] [--override key=value]…',
  },
  'kafka-server-start': {
    load: async () => (await import('./kafka-server-start.ts')).kafkaServerStart,
    about: 'the same, called as kafka-server-start.sh is',
  },
}

/** The commands that `samsa` has besides, each with its own `--help`. */
const FRIENDLY: Readonly<Record<string, string>> = {
  topic: 'list, create, describe, delete, trim, consume, produce',
  group: 'list, describe, seek, delete',
  cluster: 'health, info',
  completion: 'completes commands in bash, zsh, fish and powershell',
}

/** Kafka's tools, by the names of their scripts. */
export const TOOLS: Readonly<Record<string, () => Promise<Tool>>> = {
  'kafka-broker-api-versions': async () =>
    (await import('./kafka-broker-api-versions.ts')).kafkaBrokerApiVersions,
  'kafka-configs': async () => (await import('./kafka-configs.ts')).kafkaConfigs,
  'kafka-console-consumer': async () =>
    (await import('./kafka-console-consumer.ts')).kafkaConsoleConsumer,
  'kafka-console-share-consumer': async () =>
    (await import('./kafka-console-share-consumer.ts')).kafkaConsoleShareConsumer,
  'kafka-console-producer': async () =>
    (await import('./kafka-console-producer.ts')).kafkaConsoleProducer,
  'kafka-consumer-groups': async () =>
    (await import('./kafka-consumer-groups.ts')).kafkaConsumerGroups,
  'kafka-consumer-perf-test': async () =>
    (await import('./kafka-consumer-perf-test.ts')).kafkaConsumerPerfTest,
  'kafka-delete-records': async () =>
    (await import('./kafka-delete-records.ts')).kafkaDeleteRecords,
  'kafka-dump-log': async () => (await import('./kafka-dump-log.ts')).kafkaDumpLog,
  'kafka-get-offsets': async () => (await import('./kafka-get-offsets.ts')).kafkaGetOffsets,
  'kafka-groups': async () => (await import('./kafka-groups.ts')).kafkaGroups,
  'kafka-leader-election': async () =>
    (await import('./kafka-leader-election.ts')).kafkaLeaderElection,
  'kafka-log-dirs': async () => (await import('./kafka-log-dirs.ts')).kafkaLogDirs,
  'kafka-producer-perf-test': async () =>
    (await import('./kafka-producer-perf-test.ts')).kafkaProducerPerfTest,
  'kafka-reassign-partitions': async () =>
    (await import('./kafka-reassign-partitions.ts')).kafkaReassignPartitions,
  'kafka-server-stop': async () => (await import('./kafka-server-stop.ts')).kafkaServerStop,
  'kafka-share-groups': async () => (await import('./kafka-share-groups.ts')).kafkaShareGroups,
  'kafka-storage': async () => (await import('./kafka-storage.ts')).kafkaStorage,
  'kafka-topics': async () => (await import('./kafka-topics.ts')).kafkaTopics,
  'kafka-transactions': async () => (await import('./kafka-transactions.ts')).kafkaTransactions,
  'kafka-verifiable-consumer': async () =>
    (await import('./kafka-verifiable-consumer.ts')).kafkaVerifiableConsumer,
  'kafka-verifiable-producer': async () =>
    (await import('./kafka-verifiable-producer.ts')).kafkaVerifiableProducer,
}

/** Runs the command that `args` name. Sets the exit code of the process. */
export async function main(args: readonly string[]): Promise<void> {
  const [name, ...rest] = args
  if (name === '--version' || name === 'version') {
    console.log(version)
    return
  }
  if (name === undefined || name === '--help' || name === 'help') {
    console.log(usage())
    return
  }
  if (Object.hasOwn(FRIENDLY, name) || name === '__complete') {
    await runAsProcess((await import('./samsa/program.ts')).friendly, args)
  }
  // Named as in Kafka's bin folder, the commands work with their suffix too.
  const plainName = name.replace(/\.sh$/, '')
  if (Object.hasOwn(TOOLS, plainName)) await runAsProcess(await TOOLS[plainName]!(), rest)
  if (!Object.hasOwn(COMMANDS, plainName)) {
    console.error(`samsa: there is no command '${name}'\n\n${usage()}`)
    process.exitCode = 1
    return
  }
  await (await COMMANDS[plainName]!.load())(rest)
}

function usage(): string {
  const starting = Object.entries(COMMANDS).map(([name, { about }]) => [name, about] as const)
  const rows = [...starting, ...Object.entries(FRIENDLY)]
  const width = Math.max(...rows.map(([name]) => name.length))
  return [
    `Samsa ${version}, a Kafka-compatible event-streaming platform`,
    '',
    ...rows.map(([name, about]) => `  ${name.padEnd(width)}  ${about}`),
    '',
    "and Kafka's tools, each with --help:",
    '',
    ...Object.keys(TOOLS)
      .sort()
      .map((name) => `  ${name}`),
  ].join('\n')
}
