/**
 * Keys about the machine room of a Java broker: threads, queues, purgatories, metrics. Tools read
 * and set them, so they are kept and described; what they would tune is not there to be tuned.
 */
import { atLeast, boolean, int, list, long, oneOf, string } from './config-definition.ts'

const NO_EFFECT = 'Accepted and without effect'

const THREADS = {
  'num.io.threads': int({
    default: 8,
    valid: atLeast(1),
    importance: 'high',
    update: 'cluster-wide',
    doc: `${NO_EFFECT}: requests are worked on by the event loop.`,
  }),
  'num.network.threads': int({
    default: 3,
    valid: atLeast(1),
    importance: 'high',
    update: 'cluster-wide',
    doc: `${NO_EFFECT}: all connections are served by the event loop.`,
  }),
  'background.threads': int({
    default: 10,
    valid: atLeast(1),
    importance: 'high',
    update: 'cluster-wide',
    doc: `${NO_EFFECT}: background work shares the event loop.`,
  }),
  'num.replica.alter.log.dirs.threads': int({
    default: null,
    importance: 'high',
    doc: `${NO_EFFECT}: replicas move between folders one chunk at a time.`,
  }),
}

const QUEUES = {
  'queued.max.requests': int({
    default: 500,
    valid: atLeast(1),
    importance: 'high',
    doc: `${NO_EFFECT}: a request is started when it has arrived.`,
  }),
  'queued.max.request.bytes': long({
    default: -1,
    doc: `${NO_EFFECT}: a request is started when it has arrived.`,
  }),
  'socket.send.buffer.bytes': int({
    default: 102_400,
    importance: 'high',
    doc: `${NO_EFFECT}: the system sizes the buffers of its sockets.`,
  }),
  'socket.receive.buffer.bytes': int({
    default: 102_400,
    importance: 'high',
    doc: `${NO_EFFECT}: the system sizes the buffers of its sockets.`,
  }),
  'producer.purgatory.purge.interval.requests': purgeInterval(1000),
  'fetch.purgatory.purge.interval.requests': purgeInterval(1000),
  'delete.records.purgatory.purge.interval.requests': purgeInterval(1),
}

function purgeInterval(requests: number) {
  return int({
    default: requests,
    doc: `${NO_EFFECT}: what has ended leaves the purgatory at once.`,
  })
}

const METRICS = {
  'metric.reporters': list({
    default: [],
    importance: 'low',
    update: 'cluster-wide',
    doc:
      'What reports metrics. client-telemetry-log receives the metrics of clients and writes a ' +
      'line for each push; classes of Java are accepted and cannot be loaded.',
  }),
  'metrics.num.samples': int({
    default: 2,
    valid: atLeast(1),
    importance: 'low',
    doc: `${NO_EFFECT}: whoever reads the metrics makes rates of them.`,
  }),
  'metrics.sample.window.ms': long({
    default: 30_000,
    valid: atLeast(1),
    importance: 'low',
    doc: `${NO_EFFECT}: whoever reads the metrics makes rates of them.`,
  }),
  'metrics.recording.level': string({
    default: 'INFO',
    valid: oneOf('INFO', 'DEBUG', 'TRACE'),
    importance: 'low',
    doc: `${NO_EFFECT}: there is one level of metrics.`,
  }),
}

const REQUESTS = {
  'max.request.partition.size.limit': int({
    default: 2000,
    valid: atLeast(1),
    doc: 'The most partitions that one DescribeTopicPartitions response holds.',
  }),
  'auto.leader.rebalance.enable': boolean({
    default: true,
    importance: 'high',
    doc: 'Whether leadership goes back to preferred leaders by itself.',
  }),
  'leader.imbalance.check.interval.seconds': long({
    default: 300,
    valid: atLeast(1),
    importance: 'high',
    doc: 'How often the controller looks for leaders that are not the preferred ones.',
  }),
}

export const OTHER_KEYS = { ...THREADS, ...QUEUES, ...METRICS, ...REQUESTS }
