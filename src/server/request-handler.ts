/**
 * What a handler of one API is: `(request, context) => response`, and how a request that fails as a
 * whole is answered. One file in `handlers/` holds one handler.
 */
import type { Completion } from '../common/completion.ts'
import type { KafkaError } from '../common/errors.ts'
import type { Lease } from '../common/slab.ts'
import type { ServerConnection } from '../network/server-connection.ts'
import type { Api, RequestOf, ResponseInput } from '../protocol/schema.ts'
import type { QuotaClient } from './quotas/quota-manager.ts'

export interface RequestContext extends QuotaClient {
  readonly apiVersion: number
  /** Bytes of the request, without the length before it. */
  readonly requestBytes: number
  readonly clientId: string | null
  readonly connection: ServerConnection
  /** Keeps the memory of the request alive: its buffers are views of it. */
  readonly lease: Lease
  /**
   * The client is above a quota: the response tells it to wait `forMs` milliseconds, and for so
   * long nothing more is read from it. Of several, the longest counts. To be called before
   * answering.
   */
  throttle(forMs: number): void
  /** The request is one of a broker, and its time is not counted as a client's. */
  exemptFromQuotas(): void
  /** Runs `callback` when the memory that the response refers to is no longer needed. */
  onSent(callback: () => void): void
}

/**
 * Undefined: the request gets no response. A Completion stands for a response to come, as a promise
 * does, without the price of one.
 */
export type HandlerResult<R> = R | undefined | Promise<R | undefined> | Completion<R | undefined>

export interface RequestHandler<A extends Api = Api> {
  readonly api: A

  /**
   * The buffers in a request are not looked at after `handle` has returned, so their memory may go
   * although the answer is still to come. For requests that wait long.
   */
  readonly isDetached?: boolean

  /** May throw KafkaError, which `failure` turns into a response. */
  handle(request: RequestOf<A>, context: RequestContext): HandlerResult<ResponseInput<A>>

  /** The response that says of everything asked for that it failed, and how. */
  failure(request: RequestOf<A>, error: KafkaError): ResponseInput<A>
}

/** A handler of whatever API, as the dispatcher keeps it. */
// biome-ignore lint/suspicious/noExplicitAny: the dispatcher pairs each API with its own handler
export type AnyRequestHandler = RequestHandler<any>
