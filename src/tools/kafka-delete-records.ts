/**
 * `kafka-delete-records.sh`: deletes the records of partitions before given offsets, which are in a
 * JSON file.
 */
import type { Admin } from '../clients/admin/admin.ts'
import type { RecordsToDelete } from '../clients/admin/topics.ts'
import { partitionName } from '../clients/topic-partition.ts'
import { openAdmin, outcomesOf, readTextFile } from './support/client-settings.ts'
import { JsonValue } from './support/json.ts'
import { defineOptions } from './support/options.ts'
import {
  javaText,
  printLine,
  type Tool,
  ToolError,
  type ToolIo,
  withTrace,
} from './support/tool.ts'

const OPTIONS = defineOptions({
  about: 'This tool helps to delete records of the given partitions down to the specified offset.',
  onUnreadable: 'throw',
  options: {
    'bootstrap-server': {
      argument: 'server(s) to use for bootstrapping',
      about: 'REQUIRED: The broker to connect to, as host:port.',
    },
    'offset-json-file': {
      argument: 'Offset json file path',
      about:
        'REQUIRED: A file that has the offset of each partition, as\n' +
        '{"partitions":\n  [{"topic": "foo", "partition": 1, "offset": 1}],\n "version":1\n}\n' +
        'Records before the offset are deleted; -1 stands for all.',
    },
    'command-config': {
      argument: 'command config property file path',
      about: 'A file with settings of the admin client.',
    },
  },
})

const OPERATION_ERROR = { className: 'org.apache.kafka.tools.AdminOperationException' }

/** What the file asks for, by `topic-partition`. */
function readOffsets(text: string): Map<string, RecordsToDelete> {
  const json = JsonValue.parse(text)
  if (json === undefined) {
    throw new ToolError('The input string is not a valid JSON', OPERATION_ERROR)
  }
  const version = json.get('version')?.integer() ?? 1
  if (version !== 1) {
    throw new ToolError(`Not supported version field value ${version}`, OPERATION_ERROR)
  }
  const partitions = json.get('partitions')
  if (partitions === undefined) throw new ToolError('Missing partitions field', OPERATION_ERROR)
  const offsets = new Map<string, RecordsToDelete>()
  const duplicates = new Set<string>()
  for (const entry of partitions.list()) {
    const topic = entry.field('topic').string()
    const partition = entry.field('partition').integer()
    const name = partitionName({ topic, partition })
    if (offsets.has(name)) duplicates.add(name)
    offsets.set(name, { topic, partition, beforeOffset: entry.field('offset').long() })
  }
  if (duplicates.size > 0) {
    throw new ToolError(
      `Offset json file contains duplicate topic partitions: ${[...duplicates].join(',')}`,
      { className: 'org.apache.kafka.tools.AdminCommandFailedException' },
    )
  }
  return offsets
}

async function deleteRecords(
  admin: Admin,
  offsets: ReadonlyMap<string, RecordsToDelete>,
  io: ToolIo,
): Promise<void> {
  printLine(io.stdout, 'Executing records delete operation')
  const call = admin.deleteRecords(offsets.values())
  const { results, failures } = await outcomesOf(
    call.then((all) => new Map(all.map((deleted) => [partitionName(deleted), deleted]))),
  )
  printLine(io.stdout, 'Records delete operation completed:')
  for (const name of offsets.keys()) {
    const deleted = results.get(name)
    const outcome =
      deleted === undefined
        ? `error: ${javaText(failures.get(name))}`
        : `low_watermark: ${deleted.lowWatermark}`
    printLine(io.stdout, `partition: ${name}\t${outcome}`)
  }
}

export const kafkaDeleteRecords: Tool = withTrace(async (args, io) => {
  const options = OPTIONS.parse(args)
  options.checkRequired('bootstrap-server', 'offset-json-file')
  await using admin = openAdmin({
    bootstrapServer: options.value('bootstrap-server'),
    commandConfig: options.value('command-config'),
    io,
  })
  const path = options.required('offset-json-file')
  await deleteRecords(admin, readOffsets(readTextFile(path)), io)
  return 0
})
