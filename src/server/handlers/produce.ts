/**
 * Produce (versions 3-13): appends one record batch to each of some partitions.
 *
 * acks=0 gets no response, and an error closes the connection, which is the only way to tell the
 * client; 1 is answered when the leader has written the batch, -1 when every in-sync replica has.
 * Version 13 names topics by id (KIP-516). The first records of a transaction wait until its
 * coordinator has agreed to them (KIP-890). Versions 0-2 are advertised, because old clients look
 * for them, but what they would carry (message formats 0 and 1) is not served.
 */
import { Completion } from '../../common/completion.ts'
import { ErrorCode, errorName } from '../../common/errors.ts'
import { recordsBuffer } from '../../protocol/compile.ts'
import { Produce, type ProduceRequest } from '../../protocol/messages/produce.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { AppendEntry, AppendResult } from '../replica-manager.ts'
import type { RequestContext, RequestHandler } from '../request-handler.ts'
import { INTERNAL_TOPICS } from '../topic-admin.ts'
import type { TransactionSupport } from '../transaction/transaction-verification.ts'

type ProduceResponse = ResponseInput<typeof Produce>

export function produceHandler(services: BrokerServices): RequestHandler<typeof Produce> {
  const { replicaManager, metadata, quotas, transactionVerification } = services

  /** What can be appended, and for each partition of the request which entry it is, or an error. */
  function plan(request: ProduceRequest, usesTopicIds: boolean) {
    const entries: AppendEntry[] = []
    const places: { entry: number; errorCode: number }[] = []
    for (const topic of request.topicData) {
      const name = usesTopicIds ? metadata.topicName(topic.topicId) : topic.name
      for (const { index, records } of topic.partitionData) {
        if (name === undefined || records === null || INTERNAL_TOPICS.has(name)) {
          places.push({ entry: -1, errorCode: refusalOf(name, records === null) })
          continue
        }
        places.push({ entry: entries.length, errorCode: ErrorCode.NONE })
        entries.push({ topic: name, partitionIndex: index, records: recordsBuffer(records) })
      }
    }
    return { entries, places }
  }

  return {
    api: Produce,

    handle(request, context) {
      const { acks } = request
      if (acks < -1 || acks > 1) return failAll(request, ErrorCode.INVALID_REQUIRED_ACKS)
      const { entries, places } = plan(request, context.apiVersion >= 13)
      const response = new Completion<ProduceResponse | undefined>()
      const respond = (results: readonly AppendResult[]) => {
        if (quotas.produce.isUsed) {
          context.throttle(quotas.produce.record(context, context.requestBytes))
        }
        if (acks === 0) {
          closeOnError(context, results, places)
          response.complete(undefined)
          return
        }
        response.complete(describe(request, results, places))
      }
      const append = (verified: readonly AppendEntry[]) => {
        const { lease } = context
        const { timeoutMs } = request
        replicaManager
          .append({ requiredAcks: acks, timeoutMs, origin: 'client', lease, entries: verified })
          .onComplete(respond)
      }
      const { transactionalId } = request
      if (transactionalId === null) {
        append(entries)
        return response
      }
      const support = transactionSupport(context.apiVersion)
      const appended = transactionVerification.appendVerified(
        ...([transactionalId, support, entries, append] as const),
      )
      if (appended === undefined) return response
      return appended.then(() => new Promise((resolve) => response.onComplete(resolve)))
    },

    failure(request, error) {
      return failAll(request, error.code)
    },
  }
}

function refusalOf(name: string | undefined, isWithoutRecords: boolean): number {
  if (name === undefined) return ErrorCode.UNKNOWN_TOPIC_ID
  // What coordinators remember is theirs alone to write.
  return isWithoutRecords ? ErrorCode.INVALID_RECORD : ErrorCode.INVALID_TOPIC_EXCEPTION
}

/** Version 11 knows TRANSACTION_ABORTABLE; 12 has its partitions added (KIP-890). */
function transactionSupport(version: number): TransactionSupport {
  if (version >= 12) return 'add'
  return version >= 11 ? 'abortable' : 'legacy'
}

type Places = readonly { entry: number; errorCode: number }[]

function describe(
  request: ProduceRequest,
  results: readonly AppendResult[],
  places: Places,
): ProduceResponse {
  let next = 0
  return {
    responses: request.topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => {
        const { entry, errorCode } = places[next++]!
        if (entry < 0) return { index, errorCode, baseOffset: -1 }
        return describePartition(index, results[entry]!)
      }),
    })),
  }
}

function describePartition(index: number, result: AppendResult) {
  const { errorCode, errorMessage, info } = result
  if (info === undefined || errorCode !== ErrorCode.NONE) {
    const recordErrors = result.recordErrors.map(({ batchIndex, message }) => ({
      batchIndex,
      batchIndexErrorMessage: message,
    }))
    return { index, errorCode, baseOffset: -1, recordErrors, errorMessage }
  }
  return {
    index,
    errorCode,
    baseOffset: info.firstOffset,
    logAppendTimeMs: info.logAppendTimeMs,
    logStartOffset: info.logStartOffset,
  }
}

function failAll(request: ProduceRequest, errorCode: number): ProduceResponse {
  return {
    responses: request.topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1 })),
    })),
  }
}

function closeOnError(
  context: RequestContext,
  results: readonly AppendResult[],
  places: Places,
): void {
  const failure =
    places.find((place) => place.errorCode !== ErrorCode.NONE) ??
    results.find((result) => result.errorCode !== ErrorCode.NONE)
  if (failure === undefined) return
  const why = new Error(`a Produce with acks=0 failed with ${errorName(failure.errorCode)}`)
  context.connection.close(why)
}
