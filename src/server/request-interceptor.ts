/**
 * A port through which somebody may deal with requests in the handlers' place: faults that tests
 * inject. A broker has none unless it is given one, and then pays one comparison per request.
 */
import type { KafkaError } from '../common/errors.ts'
import type { ServerConnection } from '../network/server-connection.ts'
import type { Api } from '../protocol/schema.ts'

/** A request that was understood and not handled yet. */
export interface InterceptedRequest {
  readonly api: Api
  readonly apiVersion: number
  readonly clientId: string | null
  readonly connection: ServerConnection
  /** Decoded. Its buffers are views of memory that is used again after `intercept`. */
  readonly request: unknown
}

/** What becomes of a request, if it is not handled at once. */
export type Interception =
  /** Nothing, and what comes behind it on the connection stays unanswered too. */
  | { readonly action: 'hold' }
  /** Nothing, and nobody waits for an answer: for requests that have none. */
  | { readonly action: 'swallow' }
  /** It is handled later, and what comes behind it on the connection after it. */
  | { readonly action: 'delay'; readonly delayMs: number }
  /** The connection is closed. */
  | { readonly action: 'close' }
  /** It is answered with this, which must fit its API. */
  | { readonly action: 'answer'; readonly response: object }
  /** It is answered as if its handler had failed so. */
  | { readonly action: 'fail'; readonly error: KafkaError }

export interface RequestInterceptor {
  /** Called for each request in the order in which they come. Undefined: it is handled. */
  intercept(request: InterceptedRequest): Interception | undefined
}
