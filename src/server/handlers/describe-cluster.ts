/**
 * DescribeCluster (versions 0-2): the cluster's id, controller and brokers (KIP-700). Only brokers
 * can be asked for: there are no separate controllers (endpoint type 2, KIP-919).
 */
import { ErrorCode } from '../../common/errors.ts'
import { DescribeCluster } from '../../protocol/messages/describe-cluster.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'
import { describeBrokers } from './metadata.ts'

const BROKER_ENDPOINTS = 1
const CONTROLLER_ENDPOINTS = 2

export function describeClusterHandler(
  services: BrokerServices,
): RequestHandler<typeof DescribeCluster> {
  return {
    api: DescribeCluster,

    handle({ endpointType }, { connection }) {
      if (endpointType !== BROKER_ENDPOINTS) {
        const mismatched = endpointType === CONTROLLER_ENDPOINTS
        return {
          errorCode: mismatched
            ? ErrorCode.MISMATCHED_ENDPOINT_TYPE
            : ErrorCode.UNSUPPORTED_ENDPOINT_TYPE,
          errorMessage: mismatched
            ? 'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of ' +
              'type CONTROLLER'
            : `Unsupported endpoint type ${endpointType}`,
          clusterId: '',
          brokers: [],
        }
      }
      const { clusterId, controllerId } = services.metadata
      const brokers = describeBrokers(services, connection.listenerName)
      return {
        errorCode: ErrorCode.NONE,
        endpointType,
        clusterId,
        controllerId,
        brokers: brokers.map(({ nodeId, ...rest }) => ({ brokerId: nodeId, ...rest })),
      }
    },

    failure(_request, error) {
      return { errorCode: error.code, errorMessage: error.message, clusterId: '', brokers: [] }
    },
  }
}
