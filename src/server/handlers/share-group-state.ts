/**
 * InitializeShareGroupState, ReadShareGroupState, WriteShareGroupState, DeleteShareGroupState and
 * ReadShareGroupStateSummary: what brokers ask a share coordinator (KIP-932). They differ in one
 * call each; every partition is answered by itself.
 */

import { ErrorCode, KafkaError } from '../../common/errors.ts'
import type { SharePartitionId } from '../../coordinator/share/share-coordinator-shard.ts'
import {
  DeleteShareGroupState,
  InitializeShareGroupState,
  ReadShareGroupState,
  ReadShareGroupStateSummary,
  WriteShareGroupState,
} from '../../protocol/share-group-messages.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { AnyRequestHandler, RequestHandler } from '../request-handler.ts'

interface StateRequest<P> {
  readonly groupId: string
  readonly topics: readonly { readonly topicId: string; readonly partitions: readonly P[] }[]
}

type StateApi =
  | typeof InitializeShareGroupState
  | typeof ReadShareGroupState
  | typeof WriteShareGroupState
  | typeof DeleteShareGroupState
  | typeof ReadShareGroupStateSummary

/** What a partition without state, or with an error, says in the answers that tell of state. */
const NO_STATE = { stateEpoch: 0, startOffset: -1, stateBatches: [] }
const NO_SUMMARY = { stateEpoch: 0, leaderEpoch: 0, startOffset: -1, deliveryCompleteCount: -1 }

export function shareGroupStateHandlers({ shareCoordinator }: BrokerServices): AnyRequestHandler[] {
  return [
    handler(InitializeShareGroupState, {}, async (id, { stateEpoch, startOffset }) => {
      await shareCoordinator.initialize(id, { stateEpoch, startOffset })
      return {}
    }),
    handler(ReadShareGroupState, NO_STATE, async (id, { leaderEpoch }) => {
      const { stateEpoch, startOffset, stateBatches } = await shareCoordinator.read(id, leaderEpoch)
      return { stateEpoch, startOffset, stateBatches }
    }),
    handler(WriteShareGroupState, {}, async (id, write) => {
      await shareCoordinator.write(id, write)
      return {}
    }),
    handler(DeleteShareGroupState, {}, async (id) => {
      await shareCoordinator.delete(id)
      return {}
    }),
    handler(ReadShareGroupStateSummary, NO_SUMMARY, async (id) => {
      const state = await shareCoordinator.summary(id)
      if (state === undefined) return NO_SUMMARY
      const { stateEpoch, leaderEpoch, startOffset, deliveryCompleteCount } = state
      return { stateEpoch, leaderEpoch, startOffset, deliveryCompleteCount }
    }),
  ]
}

type PartitionOf<A extends StateApi> = Parameters<
  RequestHandler<A>['handle']
>[0]['topics'][number]['partitions'][number]

function handler<A extends StateApi, R extends object>(
  api: A,
  empty: R,
  ask: (id: SharePartitionId, partition: PartitionOf<A>) => Promise<R>,
): AnyRequestHandler {
  type Request = StateRequest<PartitionOf<A> & { partition: number }>

  async function answer(
    groupId: string,
    topicId: string,
    asked: Request['topics'][number]['partitions'][number],
  ) {
    const { partition } = asked
    try {
      const answered = await ask({ groupId, topicId, partition }, asked)
      return { partition, errorCode: ErrorCode.NONE, errorMessage: null, ...answered }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return { partition, ...empty, errorCode: error.code, errorMessage: error.message }
    }
  }

  return {
    api,

    async handle(request) {
      const { groupId, topics } = request as unknown as Request
      const results = topics.map(async ({ topicId, partitions }) => ({
        topicId,
        partitions: await Promise.all(
          partitions.map((partition) => answer(groupId, topicId, partition)),
        ),
      }))
      return { results: await Promise.all(results) }
    },

    failure(request, { code, message }) {
      const { topics } = request as unknown as Request
      return {
        results: topics.map(({ topicId, partitions }) => ({
          topicId,
          partitions: partitions.map(({ partition }) => ({
            ...{ partition, ...empty, errorCode: code, errorMessage: message },
          })),
        })),
      }
    },
  }
}
