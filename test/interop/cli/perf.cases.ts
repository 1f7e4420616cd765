/** kafka-producer-perf-test and kafka-consumer-perf-test. */
import { createTopics } from '../harness/wire.ts'
import type { CliCase, Command, Mask, Side } from './compare.ts'

const send = (...args: string[]): Command => ({ tool: 'kafka-producer-perf-test', args })
const sendTo = (...args: string[]): Command =>
  send('--bootstrap-server', '{server}', '--topic', '{id}', '--throughput', '-1', ...args)

const read = (...args: string[]): Command => ({ tool: 'kafka-consumer-perf-test', args })
const readFrom = (...args: string[]): Command =>
  read('--bootstrap-server', '{server}', '--topic', '{id}', ...args)

const oneTopic = ({ broker, id }: Side) => createTopics(broker.port, [{ name: id, partitions: 1 }])

/** What was measured: only how many digits it has after the point is the same. */
const MEASURED: readonly Mask[] = [
  [/\d+\.(\d+)(?= records\/sec| MB\/sec| ms )/g, 'N.$1'],
  [/(?<=N\.\d*)\d/g, 'D'],
  [/\b\d+(?= ms )/g, 'N'],
]

export const cases: readonly CliCase[] = [
  {
    name: "the producer's command line",
    commands: [
      send('--topic', 't', '--num-records', '1', '--throughput', '1'),
      send('--topic', 't', '--num-records', 'x', '--throughput', '1'),
      send('--topic', 't', '--record-size', '1', '--payload-monotonic'),
      sendTo('--record-size', '1', '--num-records', '0'),
      send(
        ...['--topic', 't', '--num-records', '1', '--throughput', '1', '--record-size', '1'],
        ...['--bootstrap-server', 'nohost.invalid:1'],
      ),
      sendTo('--record-size', '0', '--num-records', '1'),
      sendTo('--record-size', '1', '--num-records', '9', '--warmup-records', '9'),
      sendTo('--record-size', '1', '--num-records', '9', '--transaction-duration-ms', '0'),
      sendTo('--record-size', '1', '--num-records', '9', '--reporting-interval', '0'),
      send('--topic', 't', '--num-records', '1', '--throughput', '1', '--record-size', '1'),
      sendTo(
        '--num-records=1',
        '--record-size=1',
        '--producer-props=a=b',
        '--command-property=c=d',
      ),
      sendTo('--num-records=1', '--record-size=1', '--producer.config=a', '--command-config=b'),
      sendTo('--num-records=1', '--record-size=1', '--command-property', 'a=b=c'),
      sendTo('--num-records=1', '--record-size=1', '--command-config', '{file:absent}'),
      sendTo('--num-records=1', '--payload-file', '{file:absent}'),
      sendTo('--num-record=1', '--payload-f', '{file:absent}', '--record-sise', '4'),
    ],
  },
  {
    name: 'the producer measures',
    independent: true,
    before: oneTopic,
    files: { payloads: 'one,two,three,,', settings: 'bootstrap.servers={server}\nacks=1\n' },
    masks: MEASURED,
    commands: [
      sendTo('--num-records', '100', '--record-size', '10', '--warmup-records', '40'),
      sendTo(
        '--num-records',
        '10',
        '--payload-file',
        '{file:payloads}',
        '--payload-delimiter',
        ',',
      ),
      send(
        ...['--topic', '{id}', '--num-records', '10', '--payload-monotonic', '--throughput', '500'],
        ...['--producer-props', 'bootstrap.servers={server}', 'linger.ms=0'],
        ...['--producer.config', '{file:settings}'],
      ),
      sendTo('--num-records', '5', '--payload-monotonic', '--transactional-id', '{id}'),
      sendTo('--num-records', '5', '--payload-monotonic', '--transaction-duration-ms', '1'),
    ],
  },
  {
    name: "the consumer's command line",
    commands: [
      read(),
      read('--help'),
      read('--no-such'),
      read('--topic', 't', '--num-records', '1'),
      read('--bootstrap-server', '{server}', '--num-records', '1'),
      readFrom(),
      readFrom('--include', 'x', '--num-records', '1'),
      readFrom('--messages', '1', '--num-records', '1'),
      readFrom('--num-records', '1', '--consumer.config', 'a', '--command-config', 'b'),
      readFrom('--num-records', 'x'),
      read('--topic', 't', '--num-records', '1', '--bootstrap-server', 'nonsense'),
      readFrom('--num-records', '1', '--reporting-interval', '0'),
      readFrom('--num-records', '1', '--date-format', 'bbb'),
      readFrom('--num-records', '1', '--command-config', '{file:absent}', '--hide-header'),
    ],
  },
  {
    name: 'the consumer measures',
    independent: true,
    before: oneTopic,
    masks: [
      ...MEASURED,
      [/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{3}\b/g, 'TIME'],
      [/\b\d\d(?= o'clock)/g, 'HH'],
      // Rates, and the times that they come from.
      [/(?<=, \d+, )\d+\.\d{4}, -?\d+, -?\d+, \d+\.\d{4}, \d+\.\d{4}/g, 'MEASURED'],
      [/(?<=, \d+\.\d{4}, )\d+\.\d{4}/g, 'MEASURED'],
    ],
    commands: [
      sendTo('--num-records', '50', '--record-size', '10000'),
      readFrom('--num-records', '50'),
      readFrom('--messages', '50', '--hide-header', '--date-format', "HH 'o''clock'"),
      readFrom('--num-records', '60', '--timeout', '500'),
      readFrom('--num-records', '50', '--show-detailed-stats'),
      read(
        '--bootstrap-server={server}',
        '--include',
        '{id}.*',
        '--num-records=50',
        '--hide-header',
      ),
    ],
  },
]
