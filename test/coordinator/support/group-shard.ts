/** The shard of `__consumer_offsets` on a runtime in memory, with settings that tests change. */
import assert from 'node:assert/strict'
import { SeededRandom } from '../../../sim/seeded-random.ts'
import { KafkaError } from '../../../src/common/errors.ts'
import type { GroupCoordinatorConfig } from '../../../src/coordinator/group/group-config.ts'
import { groupRecordCodec } from '../../../src/coordinator/group/group-records.ts'
import { GroupShard } from '../../../src/coordinator/group/group-shard.ts'
import { CoordinatorHarness } from './coordinator-harness.ts'
import { CONSUMER_CONFIG, SHARE_CONFIG, TestTopics } from './test-topics.ts'

export type GroupHarness = CoordinatorHarness<GroupShard>

const GROUP_CONFIG: GroupCoordinatorConfig = {
  minSessionTimeoutMs: 6000,
  maxSessionTimeoutMs: 1_800_000,
  initialRebalanceDelayMs: 0,
  maxGroupSize: 100,
  offsetMetadataMaxBytes: 16,
  offsetsRetentionMinutes: 1,
  offsetsRetentionCheckIntervalMs: 10_000,
  consumer: CONSUMER_CONFIG,
  share: SHARE_CONFIG,
}

export function startGroupShard(
  settings: Partial<GroupCoordinatorConfig> = {},
  topics = new TestTopics(),
): Promise<GroupHarness> {
  const random = new SeededRandom(1)
  const config = { ...GROUP_CONFIG, ...settings }
  return CoordinatorHarness.start(
    groupRecordCodec,
    (context) => new GroupShard({ context, config, random, topics }),
  )
}

/** The name of the error with which something is refused, or `NONE`. */
export async function refused(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof KafkaError)
    return error.errorName
  }
  return 'NONE'
}
