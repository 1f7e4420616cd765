/**
 * Fetch (versions 4-18): record batches from partitions, waiting up to `maxWaitMs` for `minBytes`.
 *
 * Partitions are read in the order asked for, and at least one whole batch is given however large
 * it is (KIP-74). Version 7 brings sessions (KIP-227), 9 leader epochs (KIP-320), 12 divergence
 * (KIP-595), 13 topic ids in place of names (KIP-516), 15 moves the follower's id.
 *
 * A client above its quota gets an empty response (KIP-219), and asks again when it may.
 */
import { Completion } from '../../common/completion.ts'
import { Fetch, type FetchRequest } from '../../protocol/messages/fetch.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { FetchResult } from '../fetch-records.ts'
import type { FetchContext } from '../fetch-session.ts'
import type { FetchIsolation } from '../partition.ts'
import type { RequestHandler } from '../request-handler.ts'

type FetchResponse = ResponseInput<typeof Fetch>
type TopicResponse = FetchResponse['responses'][number]
type PartitionResponse = TopicResponse['partitions'][number]

const READ_COMMITTED = 1

export function fetchHandler(services: BrokerServices): RequestHandler<typeof Fetch> {
  const { replicaManager, fetchSessions, metadata, config, quotas } = services
  return {
    api: Fetch,

    handle(request, context) {
      const version = context.apiVersion
      const fetch = fetchSessions.begin(request, version, (id) => metadata.topicName(id))
      if (fetch.errorCode !== 0) return { errorCode: fetch.errorCode, responses: [] }
      const response = new Completion<FetchResponse | undefined>()
      const replicaId = version >= 15 ? request.replicaState.replicaId : request.replicaId
      const isLimited = quotas.fetch.isUsed && replicaId < 0
      if (replicaId >= 0) context.exemptFromQuotas()
      const burst = isLimited ? quotas.fetch.burst(context) : Number.POSITIVE_INFINITY
      // More than the quota allows at once would be held back each time.
      const maxBytes = Math.min(request.maxBytes, config.get('fetch.max.bytes'), burst)
      replicaManager
        .fetch({
          partitions: fetch.partitions,
          minBytes: Math.min(request.minBytes, maxBytes),
          maxBytes,
          maxWaitMs: request.maxWaitMs,
          isolation: isolationOf(request, replicaId),
          replicaId,
        })
        .onComplete((result) => {
          const throttleMs = isLimited ? quotas.fetch.record(context, result.sizeInBytes) : 0
          context.throttle(throttleMs)
          // A single batch that is larger than that is given all the same, or it never would be.
          if (throttleMs > 0 && result.sizeInBytes <= burst) {
            quotas.fetch.takeBack(context, result.sizeInBytes)
            result.release()
            response.complete({ sessionId: fetch.postpone(), responses: [] })
            return
          }
          context.onSent(() => result.release())
          response.complete(describe(fetch, result))
        })
      return response
    },

    failure(_request, error) {
      return { errorCode: error.code, responses: [] }
    },
  }
}

function isolationOf(request: FetchRequest, replicaId: number): FetchIsolation {
  if (replicaId >= 0) return 'log-end'
  return request.isolationLevel === READ_COMMITTED ? 'committed' : 'high-watermark'
}

function describe(fetch: FetchContext, result: FetchResult): FetchResponse {
  const responses: (TopicResponse & { partitions: PartitionResponse[] })[] = []
  let last: (typeof responses)[number] | undefined
  for (const [index, outcome] of result.partitions.entries()) {
    if (!fetch.includes(index, outcome)) continue
    const { topic, topicId, partitionIndex } = fetch.partitions[index]!
    if (last === undefined || last.topic !== topic || last.topicId !== topicId) {
      last = { topic, topicId, partitions: [] }
      responses.push(last)
    }
    last.partitions.push({
      partitionIndex,
      errorCode: outcome.errorCode,
      highWatermark: outcome.highWatermark,
      lastStableOffset: outcome.lastStableOffset,
      logStartOffset: outcome.logStartOffset,
      ...(outcome.divergingEpoch === undefined ? {} : { divergingEpoch: outcome.divergingEpoch }),
      abortedTransactions: outcome.abortedTransactions,
      records: outcome.records,
    })
  }
  return { sessionId: fetch.sessionId, responses }
}
