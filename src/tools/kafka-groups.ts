/** `kafka-groups.sh`: lists groups of every type. */
import type { GroupListing } from '../clients/admin/groups.ts'
import { openAdmin } from './support/client-settings.ts'
import { inHashOrder, stringHash } from './support/java-hash-order.ts'
import { defineOptions, type Parsed } from './support/options.ts'
import {
  ILLEGAL_ARGUMENT,
  isForeseen,
  javaTrace,
  printLine,
  type Tool,
  ToolError,
  type ToolIo,
  withTrace,
} from './support/tool.ts'
import { logError } from './support/tool-log.ts'

const OPTIONS = defineOptions({
  about: 'This tool helps to list groups of all types.',
  options: {
    'bootstrap-server': {
      argument: 'server to connect to',
      required: true,
      about: 'REQUIRED: The broker to connect to, as host:port.',
    },
    'command-config': {
      argument: 'command config property file',
      about: 'A file with settings of the admin client.',
    },
    list: { about: 'Lists the groups.' },
    'group-type': {
      argument: 'type',
      about: "Lists groups of this type only: 'classic', 'consumer', 'share' or 'streams'.",
    },
    protocol: { argument: 'protocol', about: 'Lists groups of this protocol only.' },
    consumer: {
      about:
        'Lists groups of consumers of every kind: those of the type consumer, and those of the ' +
        'type classic whose protocol is consumer or empty.',
    },
    share: { about: 'Lists share groups only.' },
    streams: { about: 'Lists streams groups only.' },
  },
})

type GroupsOptions = Parsed<typeof OPTIONS>

const TYPES = ['Unknown', 'Consumer', 'Classic', 'Share', 'Streams']
const KINDS = ['consumer', 'share', 'streams'] as const
const FILTERS = ['group-type', 'protocol', ...KINDS] as const
const MIN_COLUMN = 20

/** A type as Kafka spells it. */
function typeNamed(text: string): string | undefined {
  return TYPES.find((type) => type.toLowerCase() === text.toLowerCase())
}

function checkOptions(options: GroupsOptions): void {
  if (!options.has('list')) throw options.usage('Command must include exactly one action: --list.')
  const type = options.value('group-type')
  if (type !== undefined && (typeNamed(type) ?? 'Unknown') === 'Unknown') {
    throw new ToolError('--group-type must be a valid group type.', ILLEGAL_ARGUMENT)
  }
  for (const kind of KINDS) {
    options.checkInvalid(
      kind,
      FILTERS.filter((filter) => filter !== kind),
    )
  }
}

/** Whether a group is one of those asked for. */
function isMeant({ type, protocolType }: GroupListing, options: GroupsOptions): boolean {
  const isOf = (name: string) => typeNamed(type) === typeNamed(name)
  const wantedType = options.value('group-type')
  const wantedProtocol = options.value('protocol')
  if (wantedType !== undefined) {
    return isOf(wantedType) && (wantedProtocol ?? protocolType) === protocolType
  }
  if (wantedProtocol !== undefined) return protocolType === wantedProtocol
  if (options.has('consumer')) {
    return protocolType === 'consumer' || protocolType === '' || isOf('consumer')
  }
  if (options.has('share')) return isOf('share')
  return options.has('streams') ? isOf('streams') : true
}

async function list(options: GroupsOptions, io: ToolIo): Promise<void> {
  const bootstrapServer = options.value('bootstrap-server')
  const commandConfig = options.value('command-config')
  await using admin = openAdmin({ bootstrapServer, commandConfig, io })
  const groups = await admin.listGroups({ timeoutMs: 30_000 })
  const rows = inHashOrder(groups, ({ groupId }) => stringHash(groupId))
    .filter((group) => isMeant(group, options))
    .map(({ groupId, type, protocolType }) => [groupId, typeNamed(type) ?? '', protocolType])
  const width = Math.max(MIN_COLUMN, ...rows.flat().map((cell) => cell.length))
  const cells = (row: readonly string[]) => row.map((cell) => cell.padEnd(width))
  printLine(io.stdout, cells(['GROUP', 'TYPE', 'PROTOCOL']).join(' '))
  for (const row of rows) printLine(io.stdout, `${cells(row).join(' ')} `)
}

export const kafkaGroups: Tool = withTrace(async (args, io) => {
  const options = OPTIONS.parse(args)
  checkOptions(options)
  try {
    await list(options, io)
    return 0
  } catch (error) {
    if (!isForeseen(error)) throw error
    printLine(io.stdout, `Error while executing groups command : ${error.message}`)
    logError(io, 'org.apache.kafka.tools.GroupsCommand', `${javaTrace(error)}\n`)
    return 1
  }
})
