/**
 * DescribeQuorum (versions 0-2, KIP-595): who votes on the cluster's metadata.
 *
 * There is no quorum of controllers here. The metadata of a broker that keeps it itself is told as
 * a quorum of one, the controller, because clients and tools that look after a single node expect
 * an answer; its offsets count transactions of the store.
 */
import { ErrorCode } from '../../common/errors.ts'
import { DescribeQuorum } from '../../protocol/messages/describe-quorum.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestContext, RequestHandler } from '../request-handler.ts'

const METADATA_TOPIC = '__cluster_metadata'

export function describeQuorumHandler({
  metadata,
  clock,
  topics,
}: BrokerServices): RequestHandler<typeof DescribeQuorum> {
  async function quorum() {
    const { epoch: leaderEpoch, changes: logEndOffset } = await topics.controllerProgress()
    const nowMs = clock.now()
    const replica = (replicaId: number) => ({
      ...{ replicaId, logEndOffset, lastFetchTimestamp: nowMs, lastCaughtUpTimestamp: nowMs },
    })
    const leaderId = metadata.controllerId
    return {
      ...{ errorCode: ErrorCode.NONE, errorMessage: '' },
      ...{ leaderId, leaderEpoch, highWatermark: logEndOffset },
      currentVoters: [replica(leaderId)],
      observers: [...metadata.brokers.keys()].filter((id) => id !== leaderId).map(replica),
    }
  }

  function voterNode({ connection }: RequestContext) {
    const nodeId = metadata.controllerId
    const endPoint = metadata.endPoint(nodeId, connection.listenerName)
    if (endPoint === undefined) return []
    const { listenerName: name, host, port } = endPoint
    return [{ nodeId, listeners: [{ name, host, port }] }]
  }

  return {
    api: DescribeQuorum,

    async handle(request, context) {
      const known = await quorum()
      return {
        ...{ errorCode: ErrorCode.NONE, errorMessage: '' },
        topics: request.topics.map(({ topicName, partitions }) => ({
          topicName,
          partitions: partitions.map(({ partitionIndex }) => ({
            partitionIndex,
            ...(topicName === METADATA_TOPIC && partitionIndex === 0 ? known : UNKNOWN),
          })),
        })),
        nodes: context.apiVersion >= 2 ? voterNode(context) : [],
      }
    },

    failure: (_request, { code: errorCode, message: errorMessage }) => ({
      ...{ errorCode, errorMessage, topics: [], nodes: [] },
    }),
  }
}

const UNKNOWN = {
  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: 'This server does not host this topic-partition.',
  ...{ leaderId: 0, leaderEpoch: 0, highWatermark: 0, currentVoters: [], observers: [] },
}
