/**
 * ListTransactions (versions 0-2): the transactional ids that this broker coordinates (KIP-664), by
 * state and producer id, from version 1 on also by how long the transaction has been open
 * (KIP-994), from 2 on by a pattern that the whole id must match (KIP-1152).
 */
import { ErrorCode } from '../../common/errors.ts'
import { RegularExpression } from '../../coordinator/group/consumer/re2/expression.ts'
import { ListTransactions } from '../../protocol/messages/list-transactions.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function listTransactionsHandler({
  transactionCoordinator,
}: BrokerServices): RequestHandler<typeof ListTransactions> {
  return {
    api: ListTransactions,

    async handle({ producerIdFilters, stateFilters, durationFilter, transactionalIdPattern }) {
      const { transactions, unknownStates } = await transactionCoordinator.list({
        producerIds: producerIdFilters,
        states: stateFilters,
        durationMs: durationFilter,
      })
      const ids = transactions.map(({ transactionalId }) => transactionalId)
      const matching = transactionalIdPattern
        ? new RegularExpression(transactionalIdPattern).filter(ids)
        : new Set(ids)
      return {
        errorCode: ErrorCode.NONE,
        unknownStateFilters: unknownStates,
        transactionStates: transactions
          .filter(({ transactionalId }) => matching.has(transactionalId))
          .map(({ transactionalId, producerId, state }) => ({
            ...{ transactionalId, producerId, transactionState: state },
          })),
      }
    },

    failure(_request, error) {
      return { errorCode: error.code, unknownStateFilters: [], transactionStates: [] }
    },
  }
}
