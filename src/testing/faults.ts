/**
 * Faults in the way of requests: a broker that loses them, is slow, hangs up or answers something
 * else than it would.
 *
 * ```ts
 * const fault = kafka.faults.drop('Produce', { times: 1 })
 * kafka.faults.delay('Fetch', { ms: 500 })
 * kafka.faults.answer('Metadata', 'LEADER_NOT_AVAILABLE', { times: 2 })
 * kafka.faults.closeConnection('JoinGroup', { when: ({ groupId }) => groupId === 'billing' })
 * await fault.waitForHit()
 * ```
 * Of several faults that are for a request, the one that was injected last strikes. The cluster's
 * own calls (`kafka.produce`, `kafka.readTopic` and so on) are spared.
 */

import { ConfigError } from '../clients/index.ts'
import type { Clock } from '../common/clock.ts'
import { ErrorCode, type ErrorName, KafkaError } from '../common/errors.ts'
import { ByteWriter } from '../protocol/byte-writer.ts'
import { encodeResponseFrame } from '../protocol/header.ts'
import type {
  InterceptedRequest,
  Interception,
  RequestInterceptor,
} from '../server/request-interceptor.ts'
import { API_BY_NAME, type ApiName, type RequestTo, type ResponseFrom } from './api-by-name.ts'
import { type Fault, type FaultContext, type FaultOptions, InjectedFault } from './fault.ts'

/** The client id of the cluster's own clients. */
export const OWN_CLIENT_ID = 'samsa-testing'

/** What a request is answered with: a response, or the name of an error for all of it. */
export type Answer<Name extends ApiName> = ResponseFrom<Name> | ErrorName

/** An answer, or a function that makes one. */
export type AnswerSource<Name extends ApiName> =
  | Answer<Name>
  | ((request: RequestTo<Name>, context: FaultContext) => Answer<Name>)

export interface Faults {
  /**
   * Requests get lost: they are neither handled nor answered. As answers come in order, no later
   * request of the same connection is answered either, until the client gives up and connects anew.
   */
  drop<Name extends ApiName>(api: Name, options?: FaultOptions<Name>): Fault

  /** Requests are handled `ms` milliseconds later, and so is what the client sends after them. */
  delay<Name extends ApiName>(
    api: Name,
    options: FaultOptions<Name> & { readonly ms: number },
  ): Fault

  /**
   * Requests are not handled and answered with `answer`: the name of an error, such as
   * `NOT_LEADER_OR_FOLLOWER`, which then stands at every place of the response where it can; or a
   * response; or a function that gives either. A Produce with acks=0, which has no answer, is
   * swallowed, or closes the connection where the answer is an error.
   */
  answer<Name extends ApiName>(
    api: Name,
    answer: AnswerSource<Name>,
    options?: FaultOptions<Name>,
  ): Fault

  /** The connection is closed in place of an answer, and the request is not handled. */
  closeConnection<Name extends ApiName>(api: Name, options?: FaultOptions<Name>): Fault

  /** Clears all faults. */
  clear(): void
}

export class FaultInjector implements Faults {
  readonly #clock: Clock
  /** The newest first. */
  #faults: InjectedFault[] = []
  /** Connections on which something was left unanswered or delayed. */
  readonly #held = new Set<InterceptedRequest['connection']>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  drop<Name extends ApiName>(api: Name, options: FaultOptions<Name> = {}): Fault {
    return this.#inject(api, options, ({ connection, ...intercepted }) => {
      if (isWithoutAnswer(intercepted)) return { action: 'swallow' }
      this.#hold(connection)
      return { action: 'hold' }
    })
  }

  delay<Name extends ApiName>(
    api: Name,
    options: FaultOptions<Name> & { readonly ms: number },
  ): Fault {
    const { ms } = options
    if (!(ms >= 0)) throw new ConfigError(`A delay is a number of milliseconds, not ${ms}`)
    return this.#inject(api, options, ({ connection }) => {
      this.#hold(connection)
      return { action: 'delay', delayMs: ms }
    })
  }

  answer<Name extends ApiName>(
    api: Name,
    answer: AnswerSource<Name>,
    options: FaultOptions<Name> = {},
  ): Fault {
    if (typeof answer === 'string') checkErrorName(answer)
    return this.#inject(api, options, (intercepted, context) => {
      const given: unknown =
        typeof answer === 'function' ? answer(intercepted.request as never, context) : answer
      return interceptionFor(given as Answer<ApiName>, intercepted)
    })
  }

  closeConnection<Name extends ApiName>(api: Name, options: FaultOptions<Name> = {}): Fault {
    return this.#inject(api, options, () => ({ action: 'close' }))
  }

  clear(): void {
    for (const fault of [...this.#faults]) fault.clear()
  }

  /** Clears all faults, and closes connections on which somebody may still wait because of one. */
  end(): void {
    this.clear()
    for (const connection of this.#held) if (connection.pendingRequests > 0) connection.close()
    this.#held.clear()
  }

  /** What a broker is to ask about its requests. */
  interceptor(brokerId: number): RequestInterceptor {
    return {
      intercept: (intercepted) => {
        const { apiVersion, clientId } = intercepted
        if (this.#faults.length === 0 || clientId === OWN_CLIENT_ID) return undefined
        const context = { brokerId, apiVersion, clientId }
        for (const fault of this.#faults) {
          const interception = fault.strike(intercepted, context)
          if (interception !== undefined) return interception
        }
        return undefined
      },
    }
  }

  #inject(
    name: ApiName,
    options: FaultOptions<never>,
    act: (intercepted: InterceptedRequest, context: FaultContext) => Interception,
  ): Fault {
    if (!Object.hasOwn(API_BY_NAME, name)) {
      const names = Object.keys(API_BY_NAME).join(', ')
      throw new ConfigError(`There is no API ${name}; there are ${names}`)
    }
    const onCleared = (cleared: InjectedFault) => {
      this.#faults = this.#faults.filter((fault) => fault !== cleared)
    }
    const fault = new InjectedFault({
      ...{ name, act, onCleared, clock: this.#clock },
      options: options as FaultOptions,
    })
    this.#faults = [fault, ...this.#faults]
    return fault
  }

  #hold(connection: InterceptedRequest['connection']): void {
    if (this.#held.has(connection)) return
    this.#held.add(connection)
    connection.onClose(() => this.#held.delete(connection))
  }
}

function interceptionFor(answer: Answer<ApiName>, intercepted: InterceptedRequest): Interception {
  if (typeof answer === 'string') {
    checkErrorName(answer)
    if (isWithoutAnswer(intercepted)) return { action: 'close' }
    return { action: 'fail', error: new KafkaError(answer) }
  }
  if (isWithoutAnswer(intercepted)) return { action: 'swallow' }
  // What cannot be written is found here, where the test can still be told.
  encodeResponseFrame(new ByteWriter(), intercepted.api, intercepted.apiVersion, 0, answer as never)
  return { action: 'answer', response: answer }
}

/** Produce with acks=0. */
function isWithoutAnswer({ api, request }: Pick<InterceptedRequest, 'api' | 'request'>): boolean {
  return api.key === API_BY_NAME.Produce.key && (request as RequestTo<'Produce'>).acks === 0
}

function checkErrorName(name: string): void {
  if (Object.hasOwn(ErrorCode, name)) return
  throw new ConfigError(`There is no error ${name}: see docs/apis.md for their names`)
}
