/**
 * FindCoordinator (versions 0-6): which broker looks after a consumer group (key type 0), a
 * transactional id (1) or a share partition (2): the leader of the partition of an internal topic
 * that the key falls into. The topic is created when it is first asked for; the answer waits for
 * that, so that no client meets a coordinator that is not ready yet.
 *
 * Version 4 asks for several keys at once, each answered by itself (KIP-699). A share partition's
 * key is `groupId:topicId:partition` (KIP-932, version 6).
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { CONSUMER_OFFSETS_TOPIC } from '../../coordinator/group/group-coordinator.ts'
import { partitionFor } from '../../coordinator/runtime/partition-for.ts'
import { SHARE_GROUP_STATE_TOPIC } from '../../coordinator/share/share-records.ts'
import { TRANSACTION_STATE_TOPIC } from '../../coordinator/transaction/transaction-coordinator.ts'
import { FindCoordinator } from '../../protocol/messages/find-coordinator.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

/** By key type. */
const TOPICS = [CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC, SHARE_GROUP_STATE_TOPIC]
const SHARE_KEY_TYPE = 2
const SHARE_KEY_VERSION = 6
const BATCHED_VERSION = 4
const NOBODY = { nodeId: -1, host: '', port: -1 }

interface Found {
  readonly key: string
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly errorCode: number
  readonly errorMessage: string | null
}

export function findCoordinatorHandler({
  internalTopics,
  metadata,
}: BrokerServices): RequestHandler<typeof FindCoordinator> {
  async function find(topic: string, key: string, listenerName: string): Promise<Found> {
    try {
      const partition = partitionFor(key, internalTopics.partitionCount(topic))
      const nodeId = await internalTopics.leaderOf(topic, partition)
      const endPoint = metadata.endPoint(nodeId, listenerName)
      if (endPoint === undefined) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
      const { host, port } = endPoint
      return { key, nodeId, host, port, errorCode: ErrorCode.NONE, errorMessage: null }
    } catch (error) {
      if (error instanceof KafkaError) return notFound(key, error)
      throw error
    }
  }

  return {
    api: FindCoordinator,

    async handle(request, { apiVersion, connection }) {
      const { keyType } = request
      const keys = apiVersion < BATCHED_VERSION ? [request.key] : request.coordinatorKeys
      const topic = TOPICS[keyType]
      const isServed = keyType !== SHARE_KEY_TYPE || apiVersion >= SHARE_KEY_VERSION
      if (topic === undefined || !isServed) throw new KafkaError('INVALID_REQUEST')
      const found: Found[] = []
      for (const key of keys) {
        const isWellFormed = keyType !== SHARE_KEY_TYPE || isSharePartitionKey(key)
        if (isWellFormed) found.push(await find(topic, key, connection.listenerName))
        else found.push(notFound(key, new KafkaError('INVALID_REQUEST')))
      }
      return apiVersion < BATCHED_VERSION ? found[0]! : { coordinators: found }
    },

    failure({ key, coordinatorKeys }, error) {
      if (coordinatorKeys.length === 0) return notFound(key, error)
      return { coordinators: coordinatorKeys.map((asked) => notFound(asked, error)) }
    },
  }
}

function notFound(key: string, error: KafkaError): Found {
  return { key, ...NOBODY, errorCode: error.code, errorMessage: error.message }
}

function isSharePartitionKey(key: string): boolean {
  return /^.+:[\w-]{22}:\d+$/.test(key)
}
