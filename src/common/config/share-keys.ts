/**
 * The broker's keys about share groups (KIP-932): their members, the locks on records, and the
 * topic in which their state is kept. They are read when the broker starts.
 */
import {
  atLeast,
  between,
  boolean,
  int,
  list,
  short,
  string,
  type ValueGetter,
} from './config-definition.ts'
import { demandOrder } from './config-order.ts'
import { ConfigError } from './config-value.ts'

const MIB = 1024 * 1024
const HOUR_MS = 3_600_000

const MEMBERS = {
  'group.share.session.timeout.ms': int({
    default: 45_000,
    valid: atLeast(1),
    doc: 'After how long without a heartbeat a member of a share group counts as gone.',
  }),
  'group.share.min.session.timeout.ms': int({
    default: 45_000,
    valid: atLeast(1),
    doc: 'The shortest session timeout that a share group may be given.',
  }),
  'group.share.max.session.timeout.ms': int({
    default: 60_000,
    valid: atLeast(1),
    doc: 'The longest session timeout that a share group may be given.',
  }),
  'group.share.heartbeat.interval.ms': int({
    default: 5000,
    valid: atLeast(1),
    doc: 'How often members of a share group are told to send a heartbeat.',
  }),
  'group.share.min.heartbeat.interval.ms': int({
    default: 5000,
    valid: atLeast(1),
    doc: 'The shortest heartbeat interval that a share group may be given.',
  }),
  'group.share.max.heartbeat.interval.ms': int({
    default: 15_000,
    valid: atLeast(1),
    doc: 'The longest heartbeat interval that a share group may be given.',
  }),
  'group.share.max.size': int({
    default: 200,
    valid: between(1, 1000),
    doc: 'The most members that a share group may have.',
  }),
  'group.share.assignors': list({
    default: ['simple'],
    doc: 'The assignor of share groups; simple is the only one.',
  }),
  'group.share.enable': boolean({
    default: false,
    internal: true,
    doc: 'Accepted and without effect: share groups follow the feature share.version.',
  }),
  'group.share.initialize.retry.interval.ms': int({
    default: 30_000,
    valid: atLeast(1),
    importance: 'low',
    internal: true,
    doc: 'How long until the state of a share group is set up again after that has failed.',
  }),
}

const RECORDS = {
  'group.share.delivery.count.limit': int({
    default: 5,
    valid: between(2, 10),
    doc: 'How often a record is delivered at most before it is given up.',
  }),
  'group.share.record.lock.duration.ms': int({
    default: 30_000,
    valid: between(1000, HOUR_MS),
    doc: 'How long a record belongs to the member it was delivered to.',
  }),
  'group.share.min.record.lock.duration.ms': int({
    default: 15_000,
    valid: between(1000, 30_000),
    doc: 'The shortest lock that a share group may be given.',
  }),
  'group.share.max.record.lock.duration.ms': int({
    default: 60_000,
    valid: between(30_000, HOUR_MS),
    doc: 'The longest lock that a share group may be given.',
  }),
  'group.share.partition.max.record.locks': int({
    default: 2000,
    valid: between(100, 10_000),
    doc: 'The most records of a partition that are on their way to members of a group at once.',
  }),
  'group.share.max.share.sessions': int({
    default: 2000,
    valid: atLeast(1),
    doc: 'The most share sessions that a broker keeps.',
  }),
  'group.share.persister.class.name': string({
    default: 'org.apache.kafka.server.share.persister.DefaultStatePersister',
    internal: true,
    doc: 'Accepted and without effect: the state of share groups is kept in its own topic.',
  }),
  'share.fetch.purgatory.purge.interval.requests': int({
    default: 1000,
    doc: 'Accepted and without effect: what has ended leaves the purgatory at once.',
  }),
}

const COORDINATOR = {
  'share.coordinator.state.topic.num.partitions': int({
    default: 50,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The partitions of the share state topic. Not to be changed once it exists.',
  }),
  'share.coordinator.state.topic.replication.factor': short({
    default: 3,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The replicas of the share state topic.',
  }),
  'share.coordinator.state.topic.min.isr': short({
    default: 2,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The min.insync.replicas of the share state topic.',
  }),
  'share.coordinator.state.topic.segment.bytes': int({
    default: 100 * MIB,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The segment size of the share state topic.',
  }),
  'share.coordinator.state.topic.compression.codec': int({
    default: 0,
    importance: 'high',
    doc: 'The compression of the share state topic, by its number: 0 is none.',
  }),
  'share.coordinator.state.topic.prune.interval.ms': int({
    default: 300_000,
    valid: atLeast(1),
    importance: 'low',
    internal: true,
    doc: 'How often what later snapshots have replaced is deleted from the share state topic.',
  }),
  'share.coordinator.snapshot.update.records.per.snapshot': int({
    default: 500,
    valid: atLeast(0),
    doc: 'How many updates of a share partition are written between two snapshots.',
  }),
  'share.coordinator.cold.partition.snapshot.interval.ms': int({
    default: 300_000,
    valid: atLeast(1),
    importance: 'low',
    internal: true,
    doc: 'How often share partitions without updates get a snapshot.',
  }),
  'share.coordinator.load.buffer.size': int({
    default: 5 * MIB,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The bytes that are read at a time while a coordinator loads; one batch may be more.',
  }),
  'share.coordinator.write.timeout.ms': int({
    default: 5000,
    valid: atLeast(1),
    importance: 'high',
    doc: 'How long a write waits for all replicas of the share state topic.',
  }),
  'share.coordinator.append.linger.ms': int({
    default: -1,
    valid: atLeast(-1),
    doc: 'How long a write of the coordinator waits for others to go with it; -1: as it pays.',
  }),
  'share.coordinator.threads': int({
    default: 1,
    valid: atLeast(1),
    doc: 'Accepted and without effect: a coordinator works on the event loop of its broker.',
  }),
}

export const SHARE_KEYS = { ...MEMBERS, ...RECORDS, ...COORDINATOR }

/** Throws ConfigError where limits of share groups contradict each other. */
export function checkShareKeys(get: ValueGetter<typeof SHARE_KEYS>): void {
  demandOrder(get, 'group.share')
  const lockMs = get('group.share.record.lock.duration.ms')
  if (lockMs < get('group.share.min.record.lock.duration.ms')) {
    throw new ConfigError(
      'group.share.record.lock.duration.ms must be greater than or equal to ' +
        'group.share.min.record.lock.duration.ms',
    )
  }
  if (lockMs > get('group.share.max.record.lock.duration.ms')) {
    throw new ConfigError(
      'group.share.max.record.lock.duration.ms must be greater than or equal to ' +
        'group.share.record.lock.duration.ms',
    )
  }
}
