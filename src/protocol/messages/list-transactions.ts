/**
 * ListTransactions lists the transactional ids of a coordinator (KIP-664).
 *
 * 1 can filter by how long a transaction has been open (KIP-994), 2 by a regular expression for the
 * transactional id (KIP-1152). Filters that are left empty let everything through.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, int64, string } from '../schema.ts'

export const ListTransactions = api({
  key: 66,
  name: 'ListTransactions',
  versions: '0-2',
  flexible: '0+',
  request: {
    /** Empty, Ongoing, PrepareCommit, PrepareAbort, CompleteCommit, CompleteAbort and so on. */
    stateFilters: array(string()),
    producerIdFilters: array(int64()),
    /** In milliseconds; negative: no filter. */
    durationFilter: int64({ versions: '1+', default: -1 }),
    transactionalIdPattern: string({ versions: '2+', nullable: '2+', default: null }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    /** Those of the request that are no states. */
    unknownStateFilters: array(string()),
    transactionStates: array({
      transactionalId: string(),
      producerId: int64(),
      transactionState: string(),
    }),
  },
})

export interface ListTransactionsRequest extends RequestOf<typeof ListTransactions> {}
export interface ListTransactionsResponse extends ResponseOf<typeof ListTransactions> {}
