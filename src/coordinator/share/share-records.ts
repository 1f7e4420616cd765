/**
 * The records of `__share_group_state`, by which a share coordinator remembers how far each share
 * group has got in each partition (KIP-932): a snapshot now and then, and updates between them. The
 * state is the last snapshot with all later updates of the same snapshot epoch laid over it.
 *
 * Both are in Kafka's own format. Snapshots and updates have different keys, so that compaction
 * keeps the last of each.
 */
import { array, int8, int16, int32, int64, string, uuid } from '../../protocol/schema.ts'
import { CoordinatorRecordCodec, coordinatorRecord } from '../runtime/coordinator-record.ts'

const sharePartitionKey = { groupId: string(), topicId: uuid(), partition: int32() }

const stateBatch = {
  firstOffset: int64(),
  /** Inclusive. */
  lastOffset: int64(),
  /** 0: available; 2: acknowledged; 4: archived. What is acquired is not remembered. */
  deliveryState: int8(),
  deliveryCount: int16(),
}

export const SHARE_GROUP_STATE_TOPIC = '__share_group_state'

/** The whole state of a share group in a partition. */
export const ShareSnapshotRecord = coordinatorRecord({
  type: 0,
  name: 'ShareSnapshot',
  key: sharePartitionKey,
  value: {
    versions: '0',
    flexible: '0+',
    fields: {
      snapshotEpoch: int32(),
      stateEpoch: int32(),
      leaderEpoch: int32(),
      startOffset: int64(),
      /** How many offsets from startOffset on are done with; -1: unknown (KIP-1226). */
      deliveryCompleteCount: int32({ default: -1, tag: 0 }),
      /** In milliseconds since the epoch, as is the next. */
      createTimestamp: int64(),
      writeTimestamp: int64(),
      stateBatches: array(stateBatch),
    },
  },
})

/** What has changed in it since its last snapshot. */
export const ShareUpdateRecord = coordinatorRecord({
  type: 1,
  name: 'ShareUpdate',
  key: sharePartitionKey,
  value: {
    versions: '0',
    flexible: '0+',
    fields: {
      snapshotEpoch: int32(),
      leaderEpoch: int32(),
      /** -1: as before. */
      startOffset: int64(),
      /** -1: unknown (KIP-1226). */
      deliveryCompleteCount: int32({ default: -1, tag: 0 }),
      stateBatches: array(stateBatch),
    },
  },
})

/** Reads and writes `__share_group_state`. */
export const shareRecordCodec = new CoordinatorRecordCodec([ShareSnapshotRecord, ShareUpdateRecord])
