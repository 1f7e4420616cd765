/** The table of the protocol: every API that Samsa knows, by its key. */
import type { Api } from '../schema.ts'
import { AlterConfigs } from './alter-configs.ts'
import { ApiVersions } from './api-versions.ts'
import { CreatePartitions } from './create-partitions.ts'
import { CreateTopics } from './create-topics.ts'
import { DeleteRecords } from './delete-records.ts'
import { DeleteTopics } from './delete-topics.ts'
import { DescribeCluster } from './describe-cluster.ts'
import { DescribeConfigs } from './describe-configs.ts'
import { DescribeLogDirs } from './describe-log-dirs.ts'
import { DescribeTopicPartitions } from './describe-topic-partitions.ts'
import { Fetch } from './fetch.ts'
import { FindCoordinator } from './find-coordinator.ts'
import { IncrementalAlterConfigs } from './incremental-alter-configs.ts'
import { InitProducerId } from './init-producer-id.ts'
import { ListOffsets } from './list-offsets.ts'
import { Metadata } from './metadata.ts'
import { OffsetForLeaderEpoch } from './offset-for-leader-epoch.ts'
import { Produce } from './produce.ts'

/** Every API, in the order of the keys. */
export const APIS: readonly Api[] = [
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
  FindCoordinator,
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  DeleteRecords,
  InitProducerId,
  OffsetForLeaderEpoch,
  DescribeConfigs,
  AlterConfigs,
  DescribeLogDirs,
  CreatePartitions,
  IncrementalAlterConfigs,
  DescribeCluster,
  DescribeTopicPartitions,
]

const byKey: (Api | undefined)[] = []
for (const api of APIS) byKey[api.key] = api

/** The API with a key, or undefined where there is none. */
export function apiByKey(key: number): Api | undefined {
  return byKey[key]
}
