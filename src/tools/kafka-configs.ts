/** `kafka-configs.sh`: shows and changes settings of topics, brokers, users and others. */
import { KafkaError } from '../common/errors.ts'
import { readChange, singular } from './configs/changes.ts'
import { type ConfigsCommand, readCommand } from './configs/options.ts'
import { alterQuotas, describeQuotas } from './configs/quotas.ts'
import { alterResource, describeResources, isResource } from './configs/resources.ts'
import { openAdmin } from './support/client-settings.ts'
import {
  firstFailure,
  ILLEGAL_ARGUMENT,
  isForeseen,
  javaTrace,
  printLine,
  type Tool,
  ToolError,
  type ToolIo,
} from './support/tool.ts'

async function alter(command: ConfigsCommand, io: ToolIo): Promise<void> {
  const { options, types, names } = command
  if (types.length !== names.length) {
    const message = 'An entity name must be specified for every entity type'
    throw new ToolError(message, ILLEGAL_ARGUMENT)
  }
  const change = readChange(options)
  await using admin = openConfigsAdmin(command, io)
  const [type, name] = [types[0]!, names[0]!]
  if (isResource(type)) await alterResource(admin, type, name, change)
  else await alterQuotas(admin, command, change)
  const done =
    name === ''
      ? `Completed updating default config for ${type} in the cluster.`
      : `Completed updating config for ${singular(type)} ${name}.`
  printLine(io.stdout, done)
}

async function describe(command: ConfigsCommand, io: ToolIo): Promise<void> {
  const { options, types, names } = command
  await using admin = openConfigsAdmin(command, io)
  if (isResource(types[0]!)) {
    await describeResources(admin, types[0]!, names[0], options.has('all'), io)
  } else {
    await describeQuotas(admin, command, io)
  }
}

function openConfigsAdmin({ options }: ConfigsCommand, io: ToolIo) {
  const controller = options.value('bootstrap-controller')
  if (controller !== undefined) {
    const message =
      '--bootstrap-controller is not supported: name a broker with --bootstrap-server.'
    throw new ToolError(message, ILLEGAL_ARGUMENT)
  }
  return openAdmin({
    bootstrapServer: options.value('bootstrap-server'),
    commandConfig: options.value('command-config'),
    io,
  })
}

/** Mistakes of the user, for which the message is enough. */
function isMistake(error: ToolError | KafkaError): boolean {
  if (error instanceof KafkaError) return error.errorName === 'INVALID_TOPIC_EXCEPTION'
  return /IllegalArgumentException|InvalidConfigurationException|^joptsimple/.test(error.className)
}

export const kafkaConfigs: Tool = async (args, io) => {
  try {
    const command = await readCommand(args)
    await (command.action === 'alter' ? alter(command, io) : describe(command, io))
    return 0
  } catch (thrown) {
    const error = firstFailure(thrown)
    if (!isForeseen(error)) throw error
    if (isMistake(error)) {
      printLine(io.stderr, error.message)
      return 1
    }
    printLine(io.stderr, `Error while executing config command with args '${args.join(' ')}'`)
    const future = 'java.util.concurrent.ExecutionException: '
    printLine(io.stderr, `${error instanceof KafkaError ? future : ''}${javaTrace(error)}`)
    return 1
  }
}
