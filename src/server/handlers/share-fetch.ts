/**
 * ShareFetch (versions 1-2): acknowledges records, then acquires others for a member of a share
 * group and waits for them (KIP-932).
 *
 * A request that closes its session only acknowledges, and so does one that renews locks (version
 * 2, KIP-1222). Version 2 can also limit records strictly (KIP-1206).
 */

import { sleep } from '../../common/clock.ts'
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { ShareFetch, type ShareFetchRequest } from '../../protocol/messages/share-fetch.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestContext, RequestHandler } from '../request-handler.ts'
import type { ShareFetched } from '../share/share-partition-manager.ts'
import { FINAL_EPOCH, type SessionPartition } from '../share/share-sessions.ts'
import {
  type Acknowledged,
  acknowledgeAll,
  checkShareMember,
  currentLeader,
  NO_LEADER_TO_TELL,
} from './share-requests.ts'

type ShareFetchResponse = ResponseInput<typeof ShareFetch>
type TopicResponse = ShareFetchResponse['responses'][number]
type PartitionResponse = Mutable<TopicResponse['partitions'][number]>
type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type MemberRequest = ShareFetchRequest & { readonly groupId: string; readonly memberId: string }

const RECORD_LIMIT = 1
const NOTHING: ShareFetched = { partitions: [], release() {} }

export function shareFetchHandler(services: BrokerServices): RequestHandler<typeof ShareFetch> {
  const { sharePartitions, config, configs, clock, quotas } = services

  /** The partitions of the session. One too many has to wait, lest its client try at once again. */
  async function openSession(request: MemberRequest, { connection }: RequestContext) {
    try {
      return sharePartitions.sessions.fetch(request, connection)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      if (error.errorName === 'SHARE_SESSION_LIMIT_REACHED') await sleep(clock, request.maxWaitMs)
      throw error
    }
  }

  async function fetch(
    request: MemberRequest,
    wanted: readonly SessionPartition[],
    context: RequestContext,
  ): Promise<ShareFetched> {
    const { groupId, memberId, maxRecords, batchSize, maxWaitMs, shareSessionEpoch } = request
    const burst = quotas.fetch.isUsed ? quotas.fetch.burst(context) : Number.POSITIVE_INFINITY
    const maxBytes = Math.min(request.maxBytes, config.get('fetch.max.bytes'), burst)
    const isEmpty = wanted.length === 0 || maxRecords <= 0 || maxBytes <= 0
    if (isEmpty || request.isRenewAck) return NOTHING
    // Another one comes first each time.
    const first = Math.max(0, shareSessionEpoch) % wanted.length
    const rotated = [...wanted.slice(first), ...wanted.slice(0, first)]
    const level = configs.groups.get(groupId).get('share.isolation.level')
    const params = {
      ...{ memberId, maxBytes, maxWaitMs, maxRecords, batchSize: Math.max(1, batchSize) },
      minBytes: Math.min(request.minBytes, maxBytes),
      isRecordLimit: request.shareAcquireMode === RECORD_LIMIT,
      isolation: level === 'read_committed' ? 'committed' : 'high-watermark',
    } as const
    const fetched = await sharePartitions.fetch(groupId, params, rotated)
    // What is acquired is the member's already: above its quota it gets that, and then has to wait.
    if (quotas.fetch.isUsed) context.throttle(quotas.fetch.record(context, sizeOf(fetched)))
    return fetched
  }

  return {
    api: ShareFetch,
    isDetached: true,

    async handle(asked, context) {
      const request = checkShareMember(asked)
      checkRenewal(request)
      const { groupId, memberId } = request
      const wanted = await openSession(request, context)
      const mayRenew = context.apiVersion >= 2 && request.isRenewAck
      const acknowledging = acknowledgeAll(services, request, mayRenew)
      const fetched = await fetch(request, wanted, context)
      context.onSent(() => fetched.release())
      const acknowledged = await acknowledging
      if (request.shareSessionEpoch === FINAL_EPOCH) {
        sharePartitions.sessions.close(groupId, memberId)
      }
      return respond(services, request, fetched, acknowledged)
    },

    failure(_request, { code, message }) {
      const nothing = { acquisitionLockTimeoutMs: 0, responses: [], nodeEndpoints: [] }
      return { errorCode: code, errorMessage: message, ...nothing }
    },
  }
}

function respond(
  services: BrokerServices,
  request: MemberRequest,
  { partitions }: ShareFetched,
  acknowledged: readonly Acknowledged[],
): ShareFetchResponse {
  const response = new ResponseBuilder()
  for (const { error, fetched, ...of } of partitions) {
    const described = response.partition(of)
    described.errorCode = error?.code ?? ErrorCode.NONE
    described.errorMessage = error?.message ?? null
    described.currentLeader = currentLeader(services, of, error)
    described.records = fetched?.records ?? []
    described.acquiredRecords = fetched?.acquired ?? []
  }
  for (const { error, ...of } of acknowledged) {
    const described = response.partition(of)
    described.acknowledgeErrorCode = error?.code ?? ErrorCode.NONE
    described.acknowledgeErrorMessage = error?.message ?? null
  }
  const acquisitionLockTimeoutMs = services.sharePartitions.lockDurationMs(request.groupId)
  const { responses } = response
  return { errorCode: ErrorCode.NONE, acquisitionLockTimeoutMs, responses, nodeEndpoints: [] }
}

function sizeOf({ partitions }: ShareFetched): number {
  const records = partitions.flatMap(({ fetched }) => fetched?.records ?? [])
  return records.reduce((size, { length }) => size + length, 0)
}

/** A request that renews locks must not ask for records too. */
function checkRenewal(request: MemberRequest): void {
  if (!request.isRenewAck) return
  const fields = ['maxBytes', 'minBytes', 'maxRecords', 'maxWaitMs'] as const
  const wrong = fields.filter((field) => request[field] !== 0)
  if (wrong.length === 0) return
  const what = wrong.map((field) => `${field} must be set to 0, `).join('')
  throw new KafkaError('INVALID_REQUEST', `${what}if isRenewAck is true.`)
}

/** Collects what there is to say, by topic and partition. */
class ResponseBuilder {
  readonly responses: (TopicResponse & { partitions: PartitionResponse[] })[] = []

  /** The response's entry for a partition, which is made when first asked for. */
  partition({ topicId, partition: partitionIndex }: SessionPartition): PartitionResponse {
    let topic = this.responses.find((known) => known.topicId === topicId)
    if (topic === undefined) {
      topic = { topicId, partitions: [] }
      this.responses.push(topic)
    }
    let partition = topic.partitions.find((known) => known.partitionIndex === partitionIndex)
    if (partition === undefined) {
      partition = {
        ...{ partitionIndex, errorCode: ErrorCode.NONE, acknowledgeErrorCode: ErrorCode.NONE },
        ...{ currentLeader: NO_LEADER_TO_TELL, records: [], acquiredRecords: [] },
      }
      topic.partitions.push(partition)
    }
    return partition
  }
}
