/**
 * Metadata (versions 0-13): the brokers, and who leads each partition of the topics asked for.
 *
 * Asking for a topic that does not exist creates it, if broker and client allow that (version 4
 * lets the client say). The creation is not waited for, as in Kafka: the answer is
 * UNKNOWN_TOPIC_OR_PARTITION, and the client asks again. In version 0 an empty list means all
 * topics; later null does. Version 10 adds topic ids, 12 lets clients ask by id.
 */
import { ErrorCode } from '../../common/errors.ts'
import { Metadata, type MetadataRequest } from '../../protocol/messages/metadata.ts'
import { type ResponseInput, ZERO_UUID } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import { NO_LEADER, type TopicMetadata } from '../metadata-cache.ts'
import type { RequestHandler } from '../request-handler.ts'
import { INTERNAL_TOPICS } from '../topic-admin.ts'

type MetadataResponse = ResponseInput<typeof Metadata>
type TopicResponse = MetadataResponse['topics'][number]

export function metadataHandler(services: BrokerServices): RequestHandler<typeof Metadata> {
  const { metadata, topics, config } = services

  function describeAsked(
    asked: NonNullable<MetadataRequest['topics']>[number],
    mayCreate: boolean,
  ): TopicResponse {
    const { name, topicId } = asked
    if (name === null || topicId !== ZERO_UUID) {
      const byId = metadata.topicById(topicId)
      if (byId !== undefined) return describe(byId)
      return missing(null, topicId, ErrorCode.UNKNOWN_TOPIC_ID)
    }
    const known = metadata.topic(name)
    if (known !== undefined) return describe(known)
    const error = mayCreate ? topics.createAutomatically(name) : 'UNKNOWN_TOPIC_OR_PARTITION'
    return missing(name, ZERO_UUID, ErrorCode[error])
  }

  return {
    api: Metadata,

    handle(request, { apiVersion, connection }) {
      const wantsAll = request.topics === null || (apiVersion === 0 && request.topics.length === 0)
      const mayCreate = request.allowAutoTopicCreation && config.get('auto.create.topics.enable')
      return {
        brokers: describeBrokers(services, connection.listenerName),
        clusterId: metadata.clusterId,
        controllerId: metadata.controllerId,
        topics: wantsAll
          ? metadata.topics().map(describe)
          : request.topics!.map((asked) => describeAsked(asked, mayCreate)),
      }
    },

    failure(request, error) {
      const topics = request.topics ?? []
      return {
        brokers: [],
        topics: topics.map(({ name, topicId }) => missing(name ?? '', topicId, error.code)),
        errorCode: error.code,
      }
    },
  }
}

/** The live brokers, each at its end point for the listener that the client came in through. */
export function describeBrokers({ metadata }: BrokerServices, listenerName: string) {
  return [...metadata.brokers].flatMap(([nodeId, { rack }]) => {
    const endPoint = metadata.endPoint(nodeId, listenerName)
    if (endPoint === undefined) return []
    return [{ nodeId, host: endPoint.host, port: endPoint.port, rack }]
  })
}

function describe(topic: TopicMetadata): TopicResponse {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: INTERNAL_TOPICS.has(topic.name),
    partitions: topic.partitions.map((partition) => ({
      errorCode: partition.leader === NO_LEADER ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
      partitionIndex: partition.partitionIndex,
      leaderId: partition.leader,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes: [...partition.replicas],
      isrNodes: [...partition.isr],
      offlineReplicas: [...partition.offlineReplicas],
    })),
  }
}

function missing(name: string | null, topicId: string, errorCode: number): TopicResponse {
  const isInternal = name !== null && INTERNAL_TOPICS.has(name)
  return { errorCode, name, topicId, isInternal, partitions: [] }
}
