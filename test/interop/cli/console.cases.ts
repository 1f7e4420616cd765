/** kafka-console-producer, kafka-console-consumer and kafka-console-share-consumer. */
import { createTopics } from '../harness/wire.ts'
import { setGroupConfig } from '../harness/wire-groups.ts'
import type { CliCase, Command, Mask, Side } from './compare.ts'

const SERVER = ['--bootstrap-server', '{server}']

const produce = (input: string, ...args: string[]): Command => ({
  tool: 'kafka-console-producer',
  args: [...SERVER, '--topic', '{id}', ...args],
  input,
})
const say = (...args: string[]): Command => ({ tool: 'kafka-console-producer', args })
const property = (...properties: string[]) =>
  properties.flatMap((text) => ['--reader-property', text])

const consume = (...args: string[]): Command => ({
  tool: 'kafka-console-consumer',
  args: [...SERVER, '--topic', '{id}', ...args],
})
const ask = (...args: string[]): Command => ({ tool: 'kafka-console-consumer', args })
const share = (...args: string[]): Command => ({
  tool: 'kafka-console-share-consumer',
  args: [...SERVER, '--topic', '{id}', '--group', '{id}', ...args],
})
const format = (...properties: string[]) =>
  properties.flatMap((text) => ['--formatter-property', text])
const EVERYTHING = format(
  ...['timestamp', 'key', 'offset', 'delivery', 'epoch', 'partition', 'headers'].map(
    (part) => `print.${part}=true`,
  ),
)
const decoded = (type: string) => ['--value-deserializer', `${SERIALIZATION}.${type}Deserializer`]
const SERIALIZATION = 'org.apache.kafka.common.serialization'
const FORMATTERS = 'org.apache.kafka.tools.consumer'
const records = (topic: string, formatter: string): Command =>
  ask(
    ...[...SERVER, '--topic', topic, '--from-beginning', '--timeout-ms', '1500'],
    ...['--formatter', `${FORMATTERS}.${formatter}MessageFormatter`],
  )
const TIMES: readonly Mask[] = [
  [/(?<=Time:)\d{13}/g, 'TIME'],
  [/(?<=imestamp(?:Ms)?":)\d{13}/g, 'TIME'],
]

const oneTopic = ({ broker, id }: Side) => createTopics(broker.port, [{ name: id, partitions: 1 }])

export const cases: readonly CliCase[] = [
  {
    name: "the producer's command line",
    files: { properties: 'acks=1\nparse.key=true\n' },
    commands: [
      say(),
      say('--help'),
      say('--no-such'),
      say('--topic', 't'),
      say('--bootstrap-server', 'a:1'),
      say('--topic', 't', '--bootstrap-server', ' '),
      say('--topic', 't', '--bootstrap-server', 'a:1,b'),
      ...[
        ['command-property', 'producer-property'],
        ['command-config', 'producer.config'],
        ['reader-property', 'property'],
      ].map(([one, other]) => say('--topic', 't', ...SERVER, `--${one}`, 'x', `--${other}=y`)),
      say('--topic', 't', ...SERVER, '--batch-size', 'many'),
      say('--topic', 't', ...SERVER, '--timeout', 'long', '--reader-property', 'a=b'),
      say('--topic', 't', ...SERVER, '--line-reader', 'my.Reader'),
      say('--topic', 't', ...SERVER, '--command-config', '{file:absent}'),
      say('--topic', 't', ...SERVER, '--topic', 'u'),
      say('--topic', 't', '--bootstrap-server', 'nohost.invalid:1'),
    ],
  },
  {
    name: 'the producer says which names are old',
    independent: true,
    before: oneTopic,
    files: { properties: 'acks=1\n' },
    commands: [
      produce('a', '--producer-property', 'acks=1', '--max-partition-memory-bytes', '1000'),
      produce('b', '--producer.config', '{file:properties}', '--property', 'parse.key=false'),
    ],
  },
  {
    name: 'the producer reads lines',
    independent: true,
    before: oneTopic,
    commands: [
      produce('one\ntwo\r\n\nthree', '--sync'),
      produce('k\tv\n\tv\n', ...property('parse.key=true')),
      produce('k=v\nno separator\n', ...property('parse.key=true', 'key.separator==')),
      produce('a\tb\nno separator\n', ...property('parse.key=TRUE', 'ignore.error=true')),
      produce('h:1,i:\tv\nno headers\n', ...property('parse.headers=true')),
      produce('h\tv\nno key\n', ...property('parse.headers=true')),
      produce('h\tv\nh:1\tv', ...property('parse.headers=true', 'ignore.error=true')),
      produce(
        'N|N;N\nh=N#N=1|k;v\n',
        ...property('parse.headers=true', 'parse.key=true', 'headers.delimiter=|'),
        ...property('headers.separator=#', 'headers.key.separator==', 'key.separator=;'),
        ...property('null.marker=N'),
      ),
      produce('x', ...property('headers.delimiter=,')),
      produce('x', ...property('headers.separator=:')),
      produce('x', ...property('key.separator=;', 'null.marker=;')),
      produce('x', ...property('null.marker=:')),
    ],
  },
  {
    name: 'the producer sends as it is told to',
    independent: true,
    before: oneTopic,
    commands: [
      ...['', '=none', '=gzip', '=snappy', '=lz4', '=zstd'].map((codec) =>
        produce('compressed\n', `--compression-codec${codec}`, '--request-required-acks', '1'),
      ),
      produce('x\n', '--compression-codec=lzma'),
      produce('x\n', '--request-required-acks', '7'),
      produce('x\n', '--command-property', 'linger.ms=never'),
    ],
  },
  {
    name: "the consumer's command line",
    files: { group: 'group.id=g\n' },
    commands: [
      ask(),
      ask('--help'),
      ask('--no-such'),
      ask('--bootstrap-server', 'a:1'),
      ask('--topic', 't', '--include', 'u'),
      ask('--topic', 't'),
      ask('--include', 't', '--partition', '0'),
      consume('--offset', '1'),
      consume('--partition', '0', '--offset', '1', '--from-beginning'),
      consume('--partition', '0', '--offset', '-1'),
      consume('--partition', '0', '--offset', 'middle'),
      consume('--partition', '0', '--group', 'g'),
      consume('--partition', 'x', '--timeout-ms', '1'),
      consume('--group', 'h', '--command-config', '{file:group}'),
      consume('--consumer-property', 'a=b', '--command-property', 'c=d'),
      consume('--consumer.config', 'a', '--command-config', 'b'),
      consume('--property', 'a=b', '--formatter-property', 'c=d'),
      consume('--from-beginning', '--consumer-property', 'auto.offset.reset=latest'),
      consume('--formatter', 'my.Formatter'),
      consume('--max-messages', 'few'),
      ask('--topic', 't', '--bootstrap-server', 'nohost.invalid:1'),
      ask('--topic', 't', '--bootstrap-server', 'nonsense'),
      consume('--timeout-ms', 'long'),
      consume('--isolation-level', 'any'),
      consume('--command-config', '{file:absent}'),
    ],
  },
  {
    name: 'the consumer prints records',
    independent: true,
    before: oneTopic,
    masks: TIMES,
    commands: [
      produce(
        'h:1,i:N;k1;v1\nN;N;N\n;;\na:ü,a:2;€;😀\n',
        ...property('parse.headers=true', 'parse.key=true', 'null.marker=N'),
        ...property('headers.delimiter=;', 'key.separator=;', 'ignore.error=true'),
      ),
      consume('--from-beginning', '--max-messages', '4'),
      consume('--from-beginning', '--max-messages', '4', ...EVERYTHING),
      consume(
        ...['--partition', '0', '--offset', '1', '--max-messages', '2', ...EVERYTHING],
        ...format('key.separator=|', 'line.separator=$', 'headers.separator=#', 'null.literal=-'),
      ),
      consume('--partition', '0', '--offset', 'earliest', '--max-messages', '1'),
      consume(
        ...['--from-beginning', '--max-messages', '2', '--property', 'print.value=false'],
        ...['--property', 'print.key=true', '--consumer-property', 'client.id=c'],
      ),
      consume(
        '--from-beginning',
        '--max-messages=4',
        '--formatter',
        `${FORMATTERS}.NoOpMessageFormatter`,
      ),
      consume(
        ...['--from-beginning', '--max-messages', '2', '--timeout-ms', '30000'],
        ...['--formatter', `${FORMATTERS}.LoggingMessageFormatter`, '--enable-systest-events'],
      ),
      consume('--partition', '0', '--timeout-ms', '300'),
      consume('--from-beginning', '--max-messages=4', '--isolation-level', 'read_committed'),
      ask(...SERVER, '--include', '{id}', '--from-beginning', '--max-messages', '1'),
      consume('--from-beginning', '--max-messages', '0'),
    ],
  },
  {
    name: 'the consumer reads what the classes of deserializers read',
    independent: true,
    before: oneTopic,
    commands: [
      produce('12345678\n1234\n12\n\\ü\n123e4567-e89b-12d3-A456-42661417400\n'),
      ...['Bytes', 'Integer', 'Double', 'NoSuch'].map((type) =>
        consume(
          ...['--from-beginning', '--max-messages', '4', '--skip-message-on-error'],
          ...decoded(type),
        ),
      ),
      consume('--partition=0', '--offset=4', '--max-messages=1', ...decoded('UUID')),
      consume('--from-beginning', '--max-messages', '5', ...decoded('Long')),
      consume(
        ...['--from-beginning', '--max-messages', '1', ...decoded('Long')],
        ...format('print.key=true', `key.deserializer=${SERIALIZATION}.IntegerDeserializer`),
      ),
    ],
  },
  {
    name: 'the consumer commits what it has printed, and nothing else',
    independent: true,
    before: oneTopic,
    commands: [
      produce('1\n2\n3\n4\n5\n'),
      consume('--group', '{id}', '--from-beginning', '--max-messages', '2'),
      consume('--group', '{id}', '--max-messages', '2'),
      consume('--group', '{id}', '--max-messages', '1'),
      consume('--group', '{id}', '--timeout-ms', '1000'),
    ],
  },
  {
    name: 'the consumer shows what coordinators have written',
    before: oneTopic,
    masks: [
      ...TIMES,
      [/(?<="(?:previousP|p|nextP)roducerId":)\d+/g, 'ID'],
      [/-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '-UUID'],
      // Newer clients than that of Kafka's tool name topics by their ids.
      [/,"topicId":"[^"]*"/g, ''],
      // In these is the name of the topic.
      [/(?<="(?:subscription|assignment)":")[^"]*/g, 'BYTES'],
      // One object after the other, of everybody's groups and transactions.
      [/\}(?=\{"key"|$)/g, '}\n'],
      [/^(?!.*\{id\}).*\n?/gm, ''],
    ],
    commands: [
      produce('1\n2\n'),
      consume('--group', '{id}', '--from-beginning', '--max-messages', '2'),
      {
        tool: 'kafka-producer-perf-test',
        args: [
          ...[...SERVER, '--topic', '{id}', '--num-records', '1', '--payload-monotonic'],
          ...['--throughput', '-1', '--transactional-id', '{id}'],
        ],
      },
      ...['Offsets', 'GroupMetadata'].map((name) => records('__consumer_offsets', name)),
      records('__transaction_state', 'TransactionLog'),
    ],
  },
  {
    name: "the share consumer's command line",
    commands: [
      { tool: 'kafka-console-share-consumer', args: [] },
      { tool: 'kafka-console-share-consumer', args: ['--bootstrap-server', 'a:1'] },
      { tool: 'kafka-console-share-consumer', args: ['--topic', 't'] },
      share('--reject', '--release'),
      share('--consumer-property', 'a=b', '--command-property', 'c=d'),
      share('--consumer-config', 'a', '--command-config', 'b'),
      share('--command-property', 'group.id=other'),
      share('--max-messages', 'few'),
      {
        tool: 'kafka-console-share-consumer',
        args: ['--topic', 't', '--bootstrap-server', 'nonsense'],
      },
      share('--command-property', 'auto.offset.reset=latest'),
    ],
  },
  {
    name: 'the share consumer prints records, and tells what became of them',
    before: async (side) => {
      await oneTopic(side)
      await setGroupConfig(side.broker.port, side.id, 'share.auto.offset.reset', 'earliest')
    },
    masks: TIMES,
    commands: [
      produce('1\n2\n3\n4\n'),
      share('--release', '--max-messages', '1', ...EVERYTHING),
      share('--max-messages', '2', ...EVERYTHING),
      share('--reject-message-on-error', '--max-messages', '1', ...decoded('Long')),
      share('--max-messages', '1', '--consumer-property', 'client.id=c'),
      share('--timeout-ms', '500'),
    ],
  },
]
