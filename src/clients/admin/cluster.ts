/** The admin client's calls about the cluster itself: brokers, quorum and features. */
import { ApiVersions } from '../../protocol/messages/api-versions.ts'
import { DescribeCluster } from '../../protocol/messages/describe-cluster.ts'
import { DescribeQuorum } from '../../protocol/messages/describe-quorum.ts'
import { apiByKey } from '../../protocol/messages/index.ts'
import { UnregisterBroker } from '../../protocol/messages/unregister-broker.ts'
import { UpdateFeatures } from '../../protocol/messages/update-features.ts'
import type { VersionRange } from '../../protocol/schema.ts'
import type { CallOptions } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import type { BrokerNode } from '../cluster/cluster-metadata.ts'
import { throwIfError } from '../errors.ts'
import { call } from './admin-call.ts'

export interface ClusterDescription {
  readonly clusterId: string
  /** -1 while there is none. */
  readonly controllerId: number
  readonly brokers: readonly (BrokerNode & { readonly isFenced: boolean })[]
}

/** See `Admin.describeCluster`. */
export async function describeCluster(
  cluster: ClusterClient,
  options: CallOptions,
): Promise<ClusterDescription> {
  const limits = cluster.limits(options)
  const send = () => {
    const request = { includeClusterAuthorizedOperations: false }
    return cluster.sendToAny(DescribeCluster, request, limits)
  }
  const response = await call(cluster, limits, send, ({ errorCode, errorMessage }) =>
    throwIfError(errorCode, errorMessage),
  )
  const { clusterId, controllerId, brokers } = response
  return {
    clusterId,
    controllerId,
    brokers: brokers.map(({ brokerId, ...broker }) => ({ id: brokerId, ...broker })),
  }
}

export interface FeatureDescription {
  /** What brokers can do, by feature. */
  readonly supported: ReadonlyMap<string, VersionRange>
  /** What is in force. */
  readonly finalized: ReadonlyMap<string, number>
  /** Rises with each change; undefined where brokers do not say. */
  readonly epoch: number | undefined
}

/** See `Admin.describeFeatures`. */
export async function describeFeatures(
  cluster: ClusterClient,
  options: CallOptions,
): Promise<FeatureDescription> {
  const limits = cluster.limits(options)
  const request = { clientSoftwareName: 'samsa', clientSoftwareVersion: '0' }
  const send = () => cluster.sendToAny(ApiVersions, request, limits)
  const found = await call(cluster, limits, send, ({ errorCode }) => throwIfError(errorCode))
  return {
    supported: new Map(
      found.supportedFeatures.map(({ name, minVersion, maxVersion }) => {
        return [name, { min: minVersion, max: maxVersion }]
      }),
    ),
    finalized: new Map(
      found.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]),
    ),
    epoch: found.finalizedFeaturesEpoch < 0 ? undefined : found.finalizedFeaturesEpoch,
  }
}

/** How a feature's level may change, with the numbers of the protocol. */
const UPGRADE_TYPES = { upgrade: 1, safeDowngrade: 2, unsafeDowngrade: 3 } as const

export interface FeatureUpdate {
  /** 0 takes the feature out of force. */
  readonly level: number
  readonly change?: keyof typeof UPGRADE_TYPES
}

/** See `Admin.updateFeatures`. */
export async function updateFeatures(
  cluster: ClusterClient,
  updates: Readonly<Record<string, FeatureUpdate>>,
  options: CallOptions & { readonly validateOnly?: boolean },
): Promise<void> {
  const limits = cluster.limits(options)
  const request = {
    timeoutMs: limits.remainingMs | 0,
    featureUpdates: Object.entries(updates).map(([feature, { level, change }]) => {
      return { feature, maxVersionLevel: level, upgradeType: UPGRADE_TYPES[change ?? 'upgrade'] }
    }),
    validateOnly: options.validateOnly ?? false,
  }
  const send = () => cluster.sendToController(UpdateFeatures, request, limits)
  await call(cluster, limits, send, ({ errorCode, errorMessage, results }) => {
    throwIfError(errorCode, errorMessage)
    for (const result of results) throwIfError(result.errorCode, result.errorMessage)
  })
}

/** See `Admin.unregisterBroker`. */
export async function unregisterBroker(
  cluster: ClusterClient,
  brokerId: number,
  options: CallOptions,
): Promise<void> {
  const limits = cluster.limits(options)
  const send = () => cluster.sendToAny(UnregisterBroker, { brokerId }, limits)
  await call(cluster, limits, send, ({ errorCode, errorMessage }) =>
    throwIfError(errorCode, errorMessage),
  )
}

export interface ServedApi {
  readonly apiKey: number
  /** Undefined for an API that this client does not know. */
  readonly name: string | undefined
  readonly versions: VersionRange
  /** The version this client would use; undefined where none is common. */
  readonly usable: number | undefined
}

/** See `Admin.brokerApiVersions`. */
export async function brokerApiVersions(
  cluster: ClusterClient,
  brokerId: number,
  options: CallOptions,
): Promise<ServedApi[]> {
  const limits = cluster.limits(options)
  const connection = await cluster.retry(limits, async () => {
    if (!cluster.metadata.brokers.has(brokerId)) await cluster.refresh(limits)
    return await cluster.connectionTo(brokerId, limits)
  })
  return [...connection.apiVersions].map(([apiKey, versions]) => {
    const api = apiByKey(apiKey)
    const usable = api === undefined ? undefined : connection.supportedVersion(api)
    return { apiKey, name: api?.name, versions, usable }
  })
}

/** How far a node has come with the metadata of the cluster. */
export interface QuorumReplica {
  readonly replicaId: number
  readonly logEndOffset: number
  /** In milliseconds since the epoch; undefined where nobody knows. */
  readonly lastFetchTimestamp: number | undefined
  readonly lastCaughtUpTimestamp: number | undefined
}

export interface QuorumDescription {
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly highWatermark: number
  readonly voters: readonly QuorumReplica[]
  readonly observers: readonly QuorumReplica[]
}

/** The partition that holds the metadata of a cluster of Kafka 4. */
const METADATA = { topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }

/** See `Admin.describeMetadataQuorum`. */
export async function describeMetadataQuorum(
  cluster: ClusterClient,
  options: CallOptions,
): Promise<QuorumDescription> {
  const limits = cluster.limits(options)
  const send = () => cluster.sendToAny(DescribeQuorum, { topics: [METADATA] }, limits)
  const { topics } = await call(cluster, limits, send, ({ errorCode, errorMessage, ...found }) => {
    throwIfError(errorCode, errorMessage)
    const partition = found.topics[0]?.partitions[0]
    throwIfError(partition?.errorCode ?? -1, partition?.errorMessage)
  })
  const { leaderId, leaderEpoch, highWatermark, ...found } = topics[0]!.partitions[0]!
  return {
    ...{ leaderId, leaderEpoch, highWatermark },
    voters: found.currentVoters.map(quorumReplica),
    observers: found.observers.map(quorumReplica),
  }
}

function quorumReplica({
  replicaId,
  logEndOffset,
  lastFetchTimestamp,
  lastCaughtUpTimestamp,
}: QuorumReplica & { lastFetchTimestamp: number; lastCaughtUpTimestamp: number }): QuorumReplica {
  const known = (timestamp: number) => (timestamp < 0 ? undefined : timestamp)
  return {
    ...{ replicaId, logEndOffset, lastFetchTimestamp: known(lastFetchTimestamp) },
    lastCaughtUpTimestamp: known(lastCaughtUpTimestamp),
  }
}
