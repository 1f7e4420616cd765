/**
 * From a request's bytes to its handler and back: header, version, body, handler, response. It is
 * the one place where failures are turned into what the client sees.
 *
 *  - What cannot be understood (an unknown API, a version that is not served, a malformed body)
 *    closes the connection, as Kafka does: nothing that follows could be trusted. Only ApiVersions
 *    in an unknown version is answered, in version 0, so that a newer client can find out
 *    (KIP-511).
 *  - A KafkaError from a handler becomes the handler's `failure` response.
 *  - What a client is above its quota by is told it in the response, and waited out by reading
 *    nothing from it meanwhile (KIP-219).
 *  - Anything else is a broken invariant of ours: the client gets UNKNOWN_SERVER_ERROR, the log the
 *    stack.
 */
import type { Clock } from '../common/clock.ts'
import { Completion } from '../common/completion.ts'
import { ErrorCode, KafkaError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import type { Slab } from '../common/slab.ts'
import type { ResponseSlot } from '../network/server-connection.ts'
import type { ByteWriter } from '../protocol/byte-writer.ts'
import { requestCodec } from '../protocol/compile.ts'
import { decodeRequestHeader, encodeResponseFrame, type RequestHeader } from '../protocol/header.ts'
import { ApiVersions } from '../protocol/messages/api-versions.ts'
import { includesVersion } from '../protocol/schema.ts'
import type { QuotaManager } from './quotas/quota-manager.ts'
import type { AnyRequestHandler, RequestContext } from './request-handler.ts'
import type { RequestInterceptor } from './request-interceptor.ts'

/** What requests need besides their handler. */
interface Surroundings {
  readonly log: Logger
  readonly clock: Clock
  readonly quotas: QuotaManager
}

/** Who sends requests on a connection that nobody has authenticated on. */
const ANONYMOUS = 'ANONYMOUS'

export class RequestDispatcher {
  readonly #handlers: (AnyRequestHandler | undefined)[] = []
  readonly #surroundings: Surroundings
  readonly #interceptor: RequestInterceptor | undefined

  constructor(
    handlers: readonly AnyRequestHandler[],
    surroundings: Surroundings,
    interceptor?: RequestInterceptor,
  ) {
    for (const handler of handlers) this.#handlers[handler.api.key] = handler
    this.#surroundings = surroundings
    this.#interceptor = interceptor
  }

  /** Handles the request in `slab.memory` from `start` to `end`, and completes `slot`. */
  dispatch(slot: ResponseSlot, slab: Slab, start: number, end: number): void {
    let header: RequestHeader
    let handler: AnyRequestHandler | undefined
    let request: unknown
    try {
      header = decodeRequestHeader(slab.memory, start, end)
      handler = this.#handlers[header.apiKey]
      if (handler === undefined || !includesVersion(handler.api.versions, header.apiVersion)) {
        this.#refuse(slot, header)
        return
      }
      const codec = requestCodec(handler.api, header.apiVersion)
      request = codec.decode(slab.memory, header.bodyOffset, end)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      slot.connection.close(error)
      return
    }
    const surroundings = this.#surroundings
    const bytes = end - start
    const dispatched = new DispatchedRequest(surroundings, slot, slab, header, handler, bytes)
    if (this.#interceptor === undefined) dispatched.run(request)
    else dispatched.runUnlessIntercepted(request, this.#interceptor)
  }

  #refuse(slot: ResponseSlot, header: RequestHeader): void {
    const { apiKey, apiVersion, correlationId } = header
    if (apiKey === ApiVersions.key) {
      const { min, max } = ApiVersions.versions
      const response = {
        errorCode: ErrorCode.UNSUPPORTED_VERSION,
        apiKeys: [{ apiKey, minVersion: min, maxVersion: max }],
      }
      slot.complete((writer) =>
        encodeResponseFrame(writer, ApiVersions, 0, correlationId, response),
      )
      return
    }
    const what = `API key ${apiKey} in version ${apiVersion}`
    slot.connection.close(new KafkaError('UNSUPPORTED_VERSION', `${what} is not supported`))
  }
}

/** One request under way; also what its handler sees as the context. */
class DispatchedRequest implements RequestContext {
  readonly #surroundings: Surroundings
  readonly #slot: ResponseSlot
  readonly #header: RequestHeader
  readonly #handler: AnyRequestHandler
  readonly lease: Slab
  readonly requestBytes: number
  #throttleMs = 0
  #isExempt = false
  /** While the handler is at work: since when. Known only where it is charged to somebody. */
  #startedMs: number | undefined
  /** How long it was at work before it began to wait for something. */
  #workMs = 0

  constructor(
    surroundings: Surroundings,
    slot: ResponseSlot,
    slab: Slab,
    header: RequestHeader,
    handler: AnyRequestHandler,
    requestBytes: number,
  ) {
    this.#surroundings = surroundings
    this.#slot = slot
    this.#header = header
    this.#handler = handler
    this.lease = slab
    this.requestBytes = requestBytes
  }

  get apiVersion(): number {
    return this.#header.apiVersion
  }

  get clientId(): string | null {
    return this.#header.clientId
  }

  get user(): string {
    return ANONYMOUS
  }

  get connection() {
    return this.#slot.connection
  }

  throttle(forMs: number): void {
    this.#throttleMs = Math.max(this.#throttleMs, forMs)
  }

  exemptFromQuotas(): void {
    this.#isExempt = true
  }

  onSent(callback: () => void): void {
    this.#slot.onSent(callback)
  }

  run(request: unknown): void {
    const { clock, quotas } = this.#surroundings
    if (!quotas.request.isUsed) {
      this.#handle(request)
      return
    }
    const startedMs = clock.monotonic()
    this.#startedMs = startedMs
    this.#handle(request)
    this.#startedMs = undefined
    this.#workMs = clock.monotonic() - startedMs
  }

  runUnlessIntercepted(request: unknown, interceptor: RequestInterceptor): void {
    const { apiVersion, clientId, connection } = this
    const { api } = this.#handler
    const outcome = interceptor.intercept({ api, apiVersion, clientId, connection, request })
    if (outcome === undefined) this.run(request)
    else if (outcome.action === 'answer') this.#answer(outcome.response)
    else if (outcome.action === 'fail') this.#fail(request, outcome.error)
    else if (outcome.action === 'delay') this.#delay(request, outcome.delayMs)
    else if (outcome.action === 'close') connection.close()
    else if (outcome.action === 'swallow') this.#slot.skip()
  }

  /** Handles the request later, and all that comes behind it on the connection later still. */
  #delay(request: unknown, delayMs: number): void {
    this.lease.retain()
    this.#slot.onSent(() => this.lease.release())
    this.#surroundings.clock.schedule(delayMs, () => this.run(request))
    this.connection.mute(delayMs)
  }

  #handle(request: unknown): void {
    let result: ReturnType<AnyRequestHandler['handle']>
    try {
      result = this.#handler.handle(request as never, this)
    } catch (error) {
      this.#fail(request, error)
      return
    }
    if (result instanceof Completion) {
      result.onComplete((response) => this.#answer(response))
    } else if (result instanceof Promise) {
      // The request's buffers are views of memory that would otherwise be used again meanwhile.
      if (this.#handler.isDetached !== true) {
        this.lease.retain()
        this.#slot.onSent(() => this.lease.release())
      }
      result.then(
        (response) => this.#answer(response),
        (error) => this.#fail(request, error),
      )
    } else {
      this.#answer(result)
    }
  }

  #answer(unthrottled: unknown): void {
    if (unthrottled === undefined) {
      if (this.#throttleMs > 0) this.connection.mute(this.#throttleMs)
      this.#slot.skip()
      return
    }
    const { apiVersion, correlationId } = this.#header
    const { api } = this.#handler
    const response = this.#throttled(unthrottled)
    this.#slot.complete((writer: ByteWriter) => {
      try {
        encodeResponseFrame(writer, api, apiVersion, correlationId, response as never)
      } catch (error) {
        // A bug of ours that concerns one response; the client can only be told by closing.
        this.#surroundings.log.error(
          `a ${api.name} response of version ${apiVersion} cannot be written`,
          error,
        )
        this.connection.close()
      }
    })
  }

  /** The response with the time to wait, if there is one. */
  #throttled(response: unknown): unknown {
    const { request } = this.#surroundings.quotas
    if (request.isUsed && !this.#isExempt) this.throttle(request.record(this, this.#percent()))
    if (this.#throttleMs === 0) return response
    this.connection.mute(this.#throttleMs)
    return { ...(response as object), throttleTimeMs: this.#throttleMs }
  }

  /** The work so far, as per cent of a second. */
  #percent(): number {
    const startedMs = this.#startedMs
    const { clock } = this.#surroundings
    return (startedMs === undefined ? this.#workMs : clock.monotonic() - startedMs) / 10
  }

  #fail(request: unknown, error: unknown): void {
    if (error instanceof KafkaError) {
      this.#answer(this.#handler.failure(request as never, error))
      return
    }
    const { name } = this.#handler.api
    this.#surroundings.log.error(
      `a ${name} request from ${this.connection.remoteName} failed`,
      error,
    )
    this.#answer(this.#handler.failure(request as never, new KafkaError('UNKNOWN_SERVER_ERROR')))
  }
}
