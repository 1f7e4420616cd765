/** kafka-verifiable-producer and kafka-verifiable-consumer. */
import { createTopics } from '../harness/wire.ts'
import type { CliCase, Command, Mask, Side } from './compare.ts'

const SERVER = ['--bootstrap-server', '{server}']
const send = (...args: string[]): Command => ({ tool: 'kafka-verifiable-producer', args })
const sendTo = (...args: string[]): Command => send('--topic', '{id}', ...SERVER, ...args)

const read = (...args: string[]): Command => ({ tool: 'kafka-verifiable-consumer', args })
const readFrom = (...args: string[]): Command =>
  read('--topic', '{id}', '--group-id', '{id}', ...SERVER, ...args)

const oneTopic = ({ broker, id }: Side) => createTopics(broker.port, [{ name: id, partitions: 1 }])

const MEASURED: readonly Mask[] = [
  [/(?<="timestamp":)\d{13}/g, 'TIME'],
  [/(?<="avg_throughput":)\d+\.\d+/g, 'RATE'],
]

export const cases: readonly CliCase[] = [
  {
    name: "the producer's command line",
    commands: [
      send('--topic', 't'),
      send('--topic', 't', ...SERVER, '--producer.config=a', '--command-config=b'),
    ],
  },
  {
    name: 'the producer tells what it sent',
    independent: true,
    before: oneTopic,
    masks: MEASURED,
    commands: [
      sendTo('--max-messages', '3', '--repeating-keys', '2', '--value-prefix', '7'),
      sendTo('--max-messages', '2', '--throughput', '100', '--acks', '1'),
    ],
  },
  {
    name: "the consumer's command line",
    commands: [
      read('--topic', 't', '--group-id', 'g'),
      readFrom('--consumer.config=a', '--command-config=b'),
    ],
  },
  {
    name: 'the consumer tells what it read',
    independent: true,
    before: oneTopic,
    masks: MEASURED,
    commands: [
      sendTo('--max-messages', '5', '--repeating-keys', '2'),
      readFrom('--max-messages', '2', '--verbose'),
      readFrom('--max-messages', '2', '--group-protocol', 'consumer'),
      readFrom('--max-messages', '1', '--enable-autocommit', '--session-timeout', '10000'),
    ],
  },
]
