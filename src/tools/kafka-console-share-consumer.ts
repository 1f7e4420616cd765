/**
 * `kafka-console-share-consumer`: prints the records of a topic as a member of a share group, and
 * accepts, releases or rejects each. What was fetched and not printed is given back.
 */
import {
  NOT_FOR_SHARE_GROUPS,
  SHARE_CONSUMER_CONFIG,
} from '../clients/config/share-consumer-config.ts'
import { ShareConsumer } from '../clients/share-consumer/share-consumer.ts'
import type { ShareRecord } from '../clients/share-consumer/share-record.ts'
import { hasLostReader, RecordPrinter } from './console-consumer/record-printer.ts'
import { readConsoleShareConsumerOptions } from './console-consumer/share-options.ts'
import { withBootstrapServer } from './support/bootstrap-address.ts'
import { knownSettings, openClient, type Settings } from './support/client-settings.ts'
import { printLine } from './support/tool.ts'
import { logError, withClassName } from './support/tool-log.ts'

const CLASS_NAME = 'org.apache.kafka.tools.consumer.ConsoleShareConsumer'
const INTERRUPTED = 130

export const kafkaConsoleShareConsumer = withClassName(async (args, io) => {
  const request = readConsoleShareConsumerOptions(withBootstrapServer(args), io)
  try {
    const { settings } = request
    const consumer = await openClient('shareConsumer', io, settings, (environment) => {
      return new ShareConsumer(shareConsumerSettings(settings), environment)
    })
    consumer.subscribe([request.topic])
    const source = {
      className: CLASS_NAME,
      poll: consumer.poll.bind(consumer),
      done: (record: ShareRecord, isPrinted: boolean) => {
        consumer.acknowledge(record, isPrinted ? request.acknowledgement : 'reject')
      },
      close: () => consumer.close(),
    }
    await new RecordPrinter(request, source, io).run()
  } catch (error) {
    logError(io, CLASS_NAME, 'Unknown error when running consumer: ', error)
    return 1
  }
  if (request.hasSystestEvents) printLine(io.stdout, 'shutdown_complete')
  return io.signal.aborted && !hasLostReader(io) ? INTERRUPTED : 0
})

/** What is known, and what the consumer knows to refuse. */
function shareConsumerSettings(settings: Settings): Record<string, string> {
  const refused = [...settings].filter(([key]) => NOT_FOR_SHARE_GROUPS.includes(key))
  return { ...knownSettings(SHARE_CONSUMER_CONFIG, settings), ...Object.fromEntries(refused) }
}
