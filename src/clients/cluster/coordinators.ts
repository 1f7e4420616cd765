/** Which broker coordinates a group or a transactional id, as far as a client has asked. */
import { ErrorCode } from '../../common/errors.ts'
import type { BrokerConnection } from '../../network/broker-connection.ts'
import { FindCoordinator } from '../../protocol/messages/find-coordinator.ts'
import { throwIfError } from '../errors.ts'
import type { BrokerAddress } from './broker-connections.ts'

/** What is coordinated, with the numbers of the protocol. */
export const CoordinatorType = { group: 0, transaction: 1 } as const
export type CoordinatorType = keyof typeof CoordinatorType

/** Errors after which the coordinator has to be looked for again. */
const MOVED: readonly number[] = [
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NETWORK_EXCEPTION,
  ErrorCode.REQUEST_TIMED_OUT,
]

export interface CoordinatorNode extends BrokerAddress {
  readonly id: number
}

export class Coordinators {
  readonly #known = new Map<string, CoordinatorNode>()

  get(type: CoordinatorType, key: string): CoordinatorNode | undefined {
    return this.#known.get(`${type} ${key}`)
  }

  /** Asks a broker. Throws KafkaError, retriable while a coordinator is being set up. */
  async find(
    connection: BrokerConnection,
    type: CoordinatorType,
    key: string,
  ): Promise<CoordinatorNode> {
    const isBatched = (connection.supportedVersion(FindCoordinator) ?? 0) >= 4
    const response = await connection.send(FindCoordinator, {
      keyType: CoordinatorType[type],
      ...(isBatched ? { coordinatorKeys: [key] } : { key }),
    })
    const found = isBatched ? response.coordinators[0]! : response
    throwIfError(found.errorCode, found.errorMessage)
    const node = { id: found.nodeId, host: found.host, port: found.port }
    this.#known.set(`${type} ${key}`, node)
    return node
  }

  /** Forgets a coordinator if `errorCode` says that it may be another one by now. */
  noteError(type: CoordinatorType, key: string, errorCode: number): void {
    if (MOVED.includes(errorCode)) this.#known.delete(`${type} ${key}`)
  }
}
