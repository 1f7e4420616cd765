/** The formatters by the names of Kafka's classes. */
import { ToolError, type ToolIo } from '../support/tool.ts'
import {
  groupMetadataFormatter,
  offsetsFormatter,
  shareGroupFormatter,
  transactionLogFormatter,
} from './coordinator-formatters.ts'
import { defaultFormatter, type MessageFormatter } from './message-formatter.ts'

type MakeFormatter = (properties: ReadonlyMap<string, string>, io: ToolIo) => MessageFormatter

const FORMATTERS: Readonly<Record<string, MakeFormatter>> = {
  Default: defaultFormatter,
  // The line that Kafka's logs besides is below what its tools show.
  Logging: defaultFormatter,
  NoOp: () => () => {},
  Offsets: () => offsetsFormatter,
  GroupMetadata: () => groupMetadataFormatter,
  ShareGroup: () => shareGroupFormatter,
  TransactionLog: () => transactionLogFormatter,
}

/** Where the classes are, and where they have been. */
const PREFIXES = [
  'org.apache.kafka.tools.consumer.',
  'kafka.tools.',
  'kafka.coordinator.group.GroupMetadataManager$',
  'kafka.coordinator.transaction.TransactionLog$',
]
const SUFFIX = 'MessageFormatter'

/** Throws ToolError for a class that is not there. */
export function createFormatter(
  className: string,
  properties: ReadonlyMap<string, string>,
  io: ToolIo,
): MessageFormatter {
  const prefix = PREFIXES.find((one) => className.startsWith(one))
  const name = className.slice(prefix?.length ?? 0).replace(SUFFIX, '')
  if (prefix === undefined || !Object.hasOwn(FORMATTERS, name) || !className.endsWith(SUFFIX)) {
    throw new ToolError(className, { className: 'java.lang.ClassNotFoundException' })
  }
  return FORMATTERS[name]!(properties, io)
}
