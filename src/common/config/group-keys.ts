/**
 * The broker's keys about consumer groups: classic groups, groups of the newer protocol (KIP-848),
 * and the offsets that both commit. They are read when the broker starts.
 */
import {
  atLeast,
  int,
  list,
  long,
  oneOf,
  short,
  string,
  type ValueGetter,
} from './config-definition.ts'
import { demandOrder } from './config-order.ts'
import { ConfigError } from './config-value.ts'

const INT_MAX = 2 ** 31 - 1
const MIB = 1024 * 1024

const CLASSIC_GROUPS = {
  'group.min.session.timeout.ms': int({
    default: 6000,
    doc: 'The shortest session timeout that a member of a classic group may ask for.',
  }),
  'group.max.session.timeout.ms': int({
    default: 1_800_000,
    doc: 'The longest session timeout that a member of a classic group may ask for.',
  }),
  'group.initial.rebalance.delay.ms': int({
    default: 3000,
    doc: 'How long a new group waits for more members before its first rebalance.',
  }),
  'group.max.size': int({
    default: INT_MAX,
    valid: atLeast(1),
    doc: 'The most members that a classic group may have.',
  }),
}

const COORDINATOR = {
  'group.coordinator.rebalance.protocols': list({
    default: ['classic', 'consumer'],
    valid: oneOf('consumer', 'classic', 'share', 'streams'),
    doc:
      'The kinds of groups that are served. Share groups follow the feature share.version too; ' +
      'there are no groups of the streams kind.',
  }),
  'group.coordinator.threads': int({
    default: 4,
    valid: atLeast(1),
    importance: 'high',
    doc: 'Accepted and without effect: a coordinator works on the event loop of its broker.',
  }),
  'group.coordinator.append.linger.ms': int({
    default: -1,
    valid: atLeast(-1),
    doc: 'How long a write of the coordinator waits for others to go with it; -1: as it pays.',
  }),
}

const CONSUMER_GROUPS = {
  'group.consumer.session.timeout.ms': int({
    default: 45_000,
    valid: atLeast(1),
    doc: 'After how long without a heartbeat a member of a consumer group counts as gone.',
  }),
  'group.consumer.min.session.timeout.ms': int({
    default: 45_000,
    valid: atLeast(1),
    doc: 'The shortest session timeout that a group may be given.',
  }),
  'group.consumer.max.session.timeout.ms': int({
    default: 60_000,
    valid: atLeast(1),
    doc: 'The longest session timeout that a group may be given.',
  }),
  'group.consumer.heartbeat.interval.ms': int({
    default: 5000,
    valid: atLeast(1),
    doc: 'How often members of a consumer group are told to send a heartbeat.',
  }),
  'group.consumer.min.heartbeat.interval.ms': int({
    default: 5000,
    valid: atLeast(1),
    doc: 'The shortest heartbeat interval that a group may be given.',
  }),
  'group.consumer.max.heartbeat.interval.ms': int({
    default: 15_000,
    valid: atLeast(1),
    doc: 'The longest heartbeat interval that a group may be given.',
  }),
  'group.consumer.max.size': int({
    default: INT_MAX,
    valid: atLeast(1),
    doc: 'The most members that a consumer group may have. Classic groups: group.max.size.',
  }),
  'group.consumer.assignors': list({
    default: ['uniform', 'range'],
    doc: 'The assignors of the broker, uniform and range; the first serves who does not choose.',
  }),
  'group.consumer.migration.policy': string({
    default: 'bidirectional',
    valid: oneOfIgnoringCase('DISABLED', 'DOWNGRADE', 'UPGRADE', 'BIDIRECTIONAL'),
    doc:
      'Whether a classic group with members may turn into a consumer group (upgrade), the other ' +
      'way round (downgrade), both (bidirectional) or neither (disabled).',
  }),
  'group.consumer.regex.refresh.interval.ms': int({
    default: 600_000,
    valid: atLeast(10_000),
    internal: true,
    doc: 'How often the topics that match the regular expressions of groups are looked up anew.',
  }),
}

const OFFSETS = {
  'offset.metadata.max.bytes': int({
    default: 4096,
    importance: 'high',
    doc: 'The longest text that may be committed along with an offset.',
  }),
  'offsets.commit.timeout.ms': int({
    default: 5000,
    valid: atLeast(1),
    importance: 'high',
    doc: 'How long a write of the coordinator waits for all replicas of the offsets topic.',
  }),
  'offsets.load.buffer.size': int({
    default: 5 * MIB,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The bytes that are read at a time while a coordinator loads; one batch may be more.',
  }),
  'offsets.retention.minutes': int({
    default: 7 * 24 * 60,
    valid: atLeast(1),
    importance: 'high',
    doc:
      'How long offsets are kept once their group is empty or no longer subscribes to the topic, ' +
      'and without a group, since they were committed.',
  }),
  'offsets.retention.check.interval.ms': long({
    default: 600_000,
    valid: atLeast(1),
    importance: 'high',
    doc: 'How often offsets are looked through for what is past its retention.',
  }),
  'offsets.topic.num.partitions': int({
    default: 50,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The partitions of the offsets topic. Not to be changed once it exists.',
  }),
  'offsets.topic.replication.factor': short({
    default: 3,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The replicas of the offsets topic.',
  }),
  'offsets.topic.segment.bytes': int({
    default: 100 * MIB,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The segment size of the offsets topic. Small ones are compacted and loaded faster.',
  }),
  'offsets.topic.compression.codec': int({
    default: 0,
    importance: 'high',
    doc: 'The compression of the offsets topic, by its number: 0 is none.',
  }),
}

export const GROUP_KEYS = { ...CLASSIC_GROUPS, ...COORDINATOR, ...CONSUMER_GROUPS, ...OFFSETS }

/** Throws ConfigError where limits of consumer groups contradict each other. */
export function checkGroupKeys(get: ValueGetter<typeof GROUP_KEYS>): void {
  demandOrder(get, 'group.consumer')
}

/** Accepts these strings, however they are capitalised. */
function oneOfIgnoringCase(...allowed: string[]) {
  return (name: string, value: unknown) => {
    if (allowed.includes(String(value).toUpperCase())) return
    throw ConfigError.invalidValue(
      name,
      value,
      `String must be one of (case insensitive): ${allowed.join(', ')}`,
    )
  }
}
