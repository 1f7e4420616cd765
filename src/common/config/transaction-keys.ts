/** The broker's keys about transactions: their limits, and the topic in which they are recorded. */
import { atLeast, boolean, int, short } from './config-definition.ts'

const MIB = 1024 * 1024
const WEEK_MS = 7 * 24 * 3_600_000

export const TRANSACTION_KEYS = {
  'transactional.id.expiration.ms': int({
    default: WEEK_MS,
    valid: atLeast(1),
    importance: 'high',
    doc: 'How long a transactional id is kept after its last transaction.',
  }),
  'transaction.max.timeout.ms': int({
    default: 900_000,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The longest time for a transaction that a producer may ask for.',
  }),
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': int({
    default: 10_000,
    valid: atLeast(1),
    importance: 'low',
    doc: 'How often transactions that are past their time are aborted.',
  }),
  'transaction.remove.expired.transaction.cleanup.interval.ms': int({
    default: 3_600_000,
    valid: atLeast(1),
    importance: 'low',
    doc: 'How often transactional ids past transactional.id.expiration.ms are removed.',
  }),
  'transaction.partition.verification.enable': boolean({
    default: true,
    importance: 'low',
    update: 'cluster-wide',
    doc:
      'Whether a partition asks the coordinator, before it takes the first records of a ' +
      'transaction, if it belongs to it.',
  }),
  'transaction.two.phase.commit.enable': boolean({
    default: false,
    importance: 'low',
    doc: 'Whether producers may have transactions that an outside coordinator ends (KIP-939).',
  }),
  'transaction.state.log.num.partitions': int({
    default: 50,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The partitions of the transaction topic. Not to be changed once it exists.',
  }),
  'transaction.state.log.replication.factor': short({
    default: 3,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The replicas of the transaction topic.',
  }),
  'transaction.state.log.min.isr': int({
    default: 2,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The min.insync.replicas of the transaction topic.',
  }),
  'transaction.state.log.segment.bytes': int({
    default: 100 * MIB,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The segment size of the transaction topic. Small ones are compacted and loaded faster.',
  }),
  'transaction.state.log.load.buffer.size': int({
    default: 5 * MIB,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The bytes that are read at a time while a coordinator loads; one batch may be more.',
  }),
  'add.partitions.to.txn.retry.backoff.ms': int({
    default: 20,
    valid: atLeast(1),
    importance: 'high',
    doc: 'How long the broker waits before it adds partitions to a transaction again.',
  }),
  'add.partitions.to.txn.retry.backoff.max.ms': int({
    default: 100,
    valid: atLeast(0),
    importance: 'high',
    doc: 'How long the broker goes on trying to add partitions to a transaction.',
  }),
}
