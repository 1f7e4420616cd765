/** The options of kafka-console-producer. */
import { defineOptions } from '../support/options.ts'

const READER_PROPERTIES = `The properties of the default reader, with their defaults:
 parse.key=false
 parse.headers=false
 ignore.error=false
 key.separator=\\t
 headers.delimiter=\\t
 headers.separator=,
 headers.key.separator=:
 null.marker=  What equals it (a key, a value, a header) is null
With parse.headers and parse.key, a line is
 "h1:v1,h2:v2...\\tkey\\tvalue"`

export const CONSOLE_PRODUCER_OPTIONS = defineOptions({
  about: 'This tool helps to read data from standard input and publish it to Kafka.',
  options: {
    topic: { argument: 'topic', about: 'REQUIRED: The topic to send the records to.' },
    'bootstrap-server': {
      argument: 'server to connect to',
      about: 'REQUIRED: Some brokers of the cluster, as HOST1:PORT1,HOST2:PORT2.',
    },
    sync: { about: 'Send the next record only when the one before is acknowledged.' },
    'compression-codec': {
      argument: 'compression-codec',
      optional: true,
      about: "'none', 'gzip', 'snappy', 'lz4' or 'zstd'; without a value, 'gzip'.",
    },
    'batch-size': {
      argument: 'size',
      type: 'Integer',
      default: '16384',
      about: 'How many bytes for one partition are sent together (batch.size).',
    },
    'message-send-max-retries': {
      type: 'Integer',
      default: '3',
      about: 'How often a request that failed is made again (retries).',
    },
    'retry-backoff-ms': {
      type: 'Long',
      default: '100',
      about: 'How long to wait before that (retry.backoff.ms).',
    },
    timeout: {
      argument: 'timeout_ms',
      type: 'Long',
      default: '1000',
      about: 'How long records wait for others to be sent together with (linger.ms).',
    },
    'request-required-acks': {
      argument: 'request required acks',
      default: '-1',
      about: 'Who must have a record: 0 nobody, 1 the leader, -1 all in-sync replicas (acks).',
    },
    'request-timeout-ms': {
      argument: 'request timeout ms',
      type: 'Integer',
      default: '1500',
      about: 'How long a broker may take to answer (request.timeout.ms).',
    },
    'metadata-expiry-ms': {
      argument: 'metadata expiration interval',
      type: 'Long',
      default: '300000',
      about: 'When what is known of the cluster is asked again (metadata.max.age.ms).',
    },
    'max-block-ms': {
      argument: 'max block on send',
      type: 'Long',
      default: '60000',
      about: 'How long a record may wait for metadata and for memory (max.block.ms).',
    },
    'max-memory-bytes': {
      argument: 'total memory in bytes',
      type: 'Long',
      default: '33554432',
      about: 'The memory for records that wait to be sent (buffer.memory).',
    },
    'max-partition-memory-bytes': {
      argument: 'memory in bytes per partition',
      type: 'Integer',
      default: '16384',
      about: '(DEPRECATED) The old name of --batch-size.',
    },
    'line-reader': {
      argument: 'reader_class',
      default: 'org.apache.kafka.tools.LineMessageReader',
      about: 'What reads records: there is only the default, which takes one from each line.',
    },
    'socket-buffer-size': {
      argument: 'size',
      type: 'Integer',
      default: '102400',
      about: 'The send buffer of sockets. Accepted, and left to the system.',
    },
    'reader-property': {
      argument: 'prop',
      about: `A property of the reader, as key=value.\n${READER_PROPERTIES}`,
    },
    property: { argument: 'prop', about: '(DEPRECATED) The old name of --reader-property.' },
    'reader-config': {
      argument: 'config file',
      about: 'A file of properties of the reader, below [reader-property].',
    },
    'command-property': {
      argument: 'producer_prop',
      about: 'A setting of the producer, as key=value.',
    },
    'producer-property': {
      argument: 'producer_prop',
      about: '(DEPRECATED) The old name of --command-property.',
    },
    'command-config': {
      argument: 'config file',
      about: 'A file of settings of the producer, below [command-property].',
    },
    'producer.config': {
      argument: 'config file',
      about: '(DEPRECATED) The old name of --command-config.',
    },
  },
})
