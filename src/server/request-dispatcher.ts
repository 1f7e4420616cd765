/**
 * From a request's bytes to its handler and back: header, version, body, handler, response. It is
 * the one place where failures are turned into what the client sees.
 *
 *  - What cannot be understood (an unknown API, a version that is not served, a malformed body)
 *    closes the connection, as Kafka does: nothing that follows could be trusted. Only ApiVersions
 *    in an unknown version is answered, in version 0, so that a newer client can find out
 *    (KIP-511).
 *  - A KafkaError from a handler becomes the handler's `failure` response.
 *  - Anything else is a broken invariant of ours: the client gets UNKNOWN_SERVER_ERROR, the log the
 *    stack.
 */
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
import type { AnyRequestHandler, RequestContext } from './request-handler.ts'

export class RequestDispatcher {
  readonly #handlers: (AnyRequestHandler | undefined)[] = []
  readonly #log: Logger

  constructor(handlers: readonly AnyRequestHandler[], log: Logger) {
    for (const handler of handlers) this.#handlers[handler.api.key] = handler
    this.#log = log
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
    new DispatchedRequest(this.#log, slot, slab, header, handler).run(request)
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
  readonly #log: Logger
  readonly #slot: ResponseSlot
  readonly #header: RequestHeader
  readonly #handler: AnyRequestHandler
  readonly lease: Slab

  constructor(
    log: Logger,
    slot: ResponseSlot,
    slab: Slab,
    header: RequestHeader,
    handler: AnyRequestHandler,
  ) {
    this.#log = log
    this.#slot = slot
    this.#header = header
    this.#handler = handler
    this.lease = slab
  }

  get apiVersion(): number {
    return this.#header.apiVersion
  }

  get clientId(): string | null {
    return this.#header.clientId
  }

  get connection() {
    return this.#slot.connection
  }

  onSent(callback: () => void): void {
    this.#slot.onSent(callback)
  }

  run(request: unknown): void {
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
      this.lease.retain()
      this.#slot.onSent(() => this.lease.release())
      result.then(
        (response) => this.#answer(response),
        (error) => this.#fail(request, error),
      )
    } else {
      this.#answer(result)
    }
  }

  #answer(response: unknown): void {
    if (response === undefined) {
      this.#slot.skip()
      return
    }
    const { apiVersion, correlationId } = this.#header
    const { api } = this.#handler
    this.#slot.complete((writer: ByteWriter) => {
      try {
        encodeResponseFrame(writer, api, apiVersion, correlationId, response as never)
      } catch (error) {
        // A bug of ours that concerns one response; the client can only be told by closing.
        this.#log.error(`a ${api.name} response of version ${apiVersion} cannot be written`, error)
        this.connection.close()
      }
    })
  }

  #fail(request: unknown, error: unknown): void {
    if (error instanceof KafkaError) {
      this.#answer(this.#handler.failure(request as never, error))
      return
    }
    const { name } = this.#handler.api
    this.#log.error(`a ${name} request from ${this.connection.remoteName} failed`, error)
    this.#answer(this.#handler.failure(request as never, new KafkaError('UNKNOWN_SERVER_ERROR')))
  }
}
