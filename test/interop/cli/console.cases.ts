/** kafka-console-producer and kafka-console-consumer. */
import { createTopics } from '../harness/wire.ts'
import type { CliCase, Command, Side } from './compare.ts'

const SERVER = ['--bootstrap-server', '{server}']

const produce = (input: string, ...args: string[]): Command => ({
  tool: 'kafka-console-producer',
  args: [...SERVER, '--topic', '{id}', ...args],
  input,
})
const say = (...args: string[]): Command => ({ tool: 'kafka-console-producer', args })
const property = (...properties: string[]) =>
  properties.flatMap((text) => ['--reader-property', text])

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
    ],
  },
  {
    name: 'the producer says which names are old',
    before: oneTopic,
    files: { properties: 'acks=1\n' },
    commands: [
      produce('a', '--producer-property', 'acks=1', '--max-partition-memory-bytes', '1000'),
      produce('b', '--producer.config', '{file:properties}', '--property', 'parse.key=false'),
    ],
  },
  {
    name: 'the producer reads lines',
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
]
