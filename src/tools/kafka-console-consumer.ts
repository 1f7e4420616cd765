/**
 * `kafka-console-consumer`: prints the records of topics, as they come.
 *
 * What has been printed counts as consumed, and nothing else: records that were fetched and not
 * printed are not committed. An error while reading ends the tool with 0, as Ctrl-C does with 130;
 * how many records there were is said on standard error in any case.
 */
import { Consumer } from '../clients/consumer/consumer.ts'
import type { ConsumerRecord } from '../clients/consumer/consumer-record.ts'
import { partitionName } from '../clients/topic-partition.ts'
import {
  type ConsoleConsumerRequest,
  readConsoleConsumerOptions,
} from './console-consumer/read-options.ts'
import { hasLostReader, RecordPrinter } from './console-consumer/record-printer.ts'
import { withBootstrapServer } from './support/bootstrap-address.ts'
import { openClient } from './support/client-settings.ts'
import { consumerSettings } from './support/consumer-settings.ts'
import { printLine, ToolError } from './support/tool.ts'
import { logError, withClassName } from './support/tool-log.ts'

const CLASS_NAME = 'org.apache.kafka.tools.consumer.ConsoleConsumer'
const INTERRUPTED = 130

export const kafkaConsoleConsumer = withClassName(async (args, io) => {
  const request = readConsoleConsumerOptions(withBootstrapServer(args), io)
  try {
    const { settings } = request
    const consumer = await openClient('consumer', io, settings, (environment) => {
      return new Consumer(consumerSettings(settings), environment)
    })
    begin(consumer, request)
    const source = {
      className: CLASS_NAME,
      poll: consumer.poll.bind(consumer),
      close: async (unread: Iterable<ConsumerRecord>) => {
        giveBack(consumer, unread)
        await consumer.close()
      },
    }
    await new RecordPrinter(request, source, io).run()
  } catch (error) {
    logError(io, CLASS_NAME, 'Unknown error when running consumer: ', error)
    return 1
  }
  if (request.hasSystestEvents) printLine(io.stdout, 'shutdown_complete')
  return io.signal.aborted && !hasLostReader(io) ? INTERRUPTED : 0
})

function begin(consumer: Consumer, request: ConsoleConsumerRequest): void {
  const { topic, include, partition, offset } = request
  if (topic === undefined) {
    consumer.subscribe(wholeName(include!))
  } else if (partition === undefined) {
    consumer.subscribe([topic])
  } else {
    const partitions = [{ topic, partition }]
    consumer.assign(partitions)
    if (offset === 'earliest') consumer.seekToBeginning(partitions)
    else if (offset === 'latest') consumer.seekToEnd(partitions)
    else consumer.seek(partitions[0]!, offset)
  }
}

/** Java's patterns are compared with the whole name. */
function wholeName(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`)
  } catch (error) {
    const className = 'java.util.regex.PatternSyntaxException'
    throw new ToolError((error as Error).message, { className })
  }
}

/** Sets positions before what was not printed, so that closing does not commit it. */
function giveBack(consumer: Consumer, unread: Iterable<ConsumerRecord>): void {
  const first = new Map<string, ConsumerRecord>()
  for (const record of unread) {
    const name = partitionName(record)
    if (!first.has(name)) first.set(name, record)
  }
  for (const record of first.values()) consumer.seek(record, record.offset)
}
