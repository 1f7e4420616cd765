/** `kafka-consumer-perf-test`: reads records and measures how many a second that are. */
import { Consumer } from '../clients/consumer/consumer.ts'
import { Consumption, INTERVAL_HEADER, TOTAL_HEADER } from './consumer-perf-test/consumption.ts'
import { CONSUMER_PERF_OPTIONS } from './consumer-perf-test/options.ts'
import { withBootstrapServer } from './support/bootstrap-address.ts'
import { mergeSettings, openClient } from './support/client-settings.ts'
import { consumerSettings } from './support/consumer-settings.ts'
import { javaDateFormat } from './support/java-date-format.ts'
import { defineOptions, keyValues } from './support/options.ts'
import { printMetrics } from './support/print-metrics.ts'
import { printLine, ToolError, type ToolIo, withTrace } from './support/tool.ts'
import { topicPattern } from './support/topic-filter.ts'

const OPTIONS = defineOptions(CONSUMER_PERF_OPTIONS)
/** An argument that is not of its type ends the tool as something thrown. */
const VALUES = defineOptions({ ...CONSUMER_PERF_OPTIONS, onUnreadable: 'throw' })

type Options = ReturnType<typeof VALUES.read>

const POLL_MS = 100
const INTERRUPTED = 130

export const kafkaConsumerPerfTest = withTrace(async (args, io) => {
  const given = withoutIgnored(withBootstrapServer(args))
  checkOptions(OPTIONS.parse(given), io)
  const options = VALUES.read(given)
  const isDetailed = options.has('show-detailed-stats')
  if (!options.has('hide-header')) {
    printLine(io.stdout, isDetailed ? INTERVAL_HEADER : TOTAL_HEADER)
  }
  const settings = settingsOf(options)
  const consumer = await openClient('consumer', io, settings, (environment) => {
    return new Consumer(consumerSettings(settings), environment)
  })
  let consumption: Consumption
  let endMs: number
  const { clientId } = consumer
  let metrics: object
  try {
    consumption = await consume(consumer, options, io)
    endMs = Date.now()
    metrics = consumer.metrics()
  } finally {
    await consumer.close()
  }
  if (!isDetailed) printLine(io.stdout, consumption.total(endMs))
  if (options.has('print-metrics')) {
    printMetrics({ clientId, metrics: () => metrics }, io.stdout)
  }
  return io.signal.aborted ? INTERRUPTED : 0
})

/** Options of long ago that have done nothing since. */
function withoutIgnored(args: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < args.length; i++) {
    const [flag, value] = args[i]!.split('=', 2)
    if (flag !== '--threads' && flag !== '--num-fetch-threads') kept.push(args[i]!)
    else if (value === undefined) i += 1
  }
  return kept
}

function checkOptions(options: Options, io: ToolIo): void {
  options.checkRequired('bootstrap-server')
  options.checkOneOf('topic', 'include')
  options.checkOneOf('messages', 'num-records')
  options.checkInvalid('consumer.config', ['command-config'])
  const warn = (oldName: 'messages' | 'consumer.config', newName: string) => {
    if (!options.has(oldName)) return
    printLine(io.stdout, `Warning: --${oldName} is deprecated. Use --${newName} instead.`)
  }
  warn('messages', 'num-records')
  warn('consumer.config', 'command-config')
}

function settingsOf(options: Options): Map<string, string> {
  const file = options.has('consumer.config') ? 'consumer.config' : 'command-config'
  const properties = keyValues(options.values('command-property'))
  const settings = mergeSettings(options.value(file), properties)
  settings.set('bootstrap.servers', options.value('bootstrap-server')!)
  const group = options.value('group') ?? `perf-consumer-${Math.floor(Math.random() * 100_000)}`
  settings.set('group.id', group)
  settings.set('max.partition.fetch.bytes', options.value('fetch-size')!)
  settings.set('auto.offset.reset', options.has('from-latest') ? 'latest' : 'earliest')
  settings.set('check.crcs', 'false')
  if (!settings.has('client.id')) settings.set('client.id', 'perf-consumer-client')
  return settings
}

async function consume(consumer: Consumer, options: Options, io: ToolIo): Promise<Consumption> {
  const limit = options.number('num-records') ?? options.number('messages')!
  const timeoutMs = options.number('timeout')!
  const reportingIntervalMs = options.number('reporting-interval')!
  if (reportingIntervalMs <= 0) {
    const className = 'java.lang.IllegalArgumentException'
    throw new ToolError('Reporting interval must be greater than 0.', { className })
  }
  const consumption = new Consumption({
    now: Date.now,
    formatTime: javaDateFormat(options.value('date-format')!),
    reportingIntervalMs,
    print: options.has('show-detailed-stats') ? (line) => printLine(io.stdout, line) : undefined,
  })
  const topic = options.value('topic')
  consumer.subscribe(topic === undefined ? topicPattern(options.value('include')!) : [topic], {
    onPartitionsAssigned: () => consumption.assigned(),
    onPartitionsRevoked: () => consumption.revoked(),
  })
  let nowMs = Date.now()
  let consumedMs = nowMs
  while (consumption.count < limit && nowMs - consumedMs <= timeoutMs && !io.signal.aborted) {
    const records = await consumer.poll({ timeoutMs: POLL_MS })
    nowMs = Date.now()
    if (!records.isEmpty) consumedMs = nowMs
    for (const record of records) consumption.add(record, nowMs)
  }
  if (consumption.count < limit && !io.signal.aborted) printWarning(timeoutMs, io)
  return consumption
}

function printWarning(timeoutMs: number, io: ToolIo): void {
  printLine(
    io.stdout,
    'WARNING: Exiting before consuming the expected number of records: timeout ' +
      `(${timeoutMs} ms) exceeded. You can use the --timeout option to increase the timeout.`,
  )
}
