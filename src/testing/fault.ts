/** One fault: which requests it is for, what becomes of them, and how often it has struck. */

import { TimeoutError } from '../clients/index.ts'
import type { Clock } from '../common/clock.ts'
import { KafkaError } from '../common/errors.ts'
import type { InterceptedRequest, Interception } from '../server/request-interceptor.ts'
import type { ApiName, RequestTo } from './api-by-name.ts'

/** What is known of a request besides its contents. */
export interface FaultContext {
  readonly brokerId: number
  readonly apiVersion: number
  readonly clientId: string | null
}

/** Which requests a fault is for: all of its API, unless something narrows that down. */
export interface FaultOptions<Name extends ApiName = ApiName> {
  /** How many requests it strikes; without it, all until it is cleared. */
  readonly times?: number
  /**
   * Only requests for which this returns true. It sees the decoded request, whose buffers are not
   * to be kept. What it throws is thrown again as an uncaught exception, so that the test fails.
   */
  readonly when?: (request: RequestTo<Name>, context: FaultContext) => boolean
  /** Only requests to this broker. */
  readonly broker?: number
}

export interface WaitForHitOptions {
  /** How many hits in all; 1 without it. */
  readonly count?: number
  /** After how many milliseconds to give up, with a TimeoutError; 10,000 without it. */
  readonly timeoutMs?: number
}

/** A fault that has been injected. */
export interface Fault {
  /** The API whose requests it strikes. */
  readonly api: ApiName
  /** How many requests it has struck. */
  readonly hits: number
  /** Whether it may strike again. */
  readonly isActive: boolean
  /** Strikes no more. What has been struck stays so. */
  clear(): void
  /** Waits until the fault has struck. Rejects with TimeoutError. */
  waitForHit(options?: WaitForHitOptions): Promise<void>
  [Symbol.dispose](): void
}

interface FaultDefinition {
  readonly name: ApiName
  readonly options: FaultOptions
  readonly clock: Clock
  readonly act: (intercepted: InterceptedRequest, context: FaultContext) => Interception
  readonly onCleared: (fault: InjectedFault) => void
}

export const DEFAULT_WAIT_MS = 10_000

export class InjectedFault implements Fault {
  readonly #definition: FaultDefinition
  readonly #waiters = new Set<() => void>()
  #hits = 0
  #isCleared = false

  constructor(definition: FaultDefinition) {
    this.#definition = definition
  }

  get api(): ApiName {
    return this.#definition.name
  }

  get hits(): number {
    return this.#hits
  }

  get isActive(): boolean {
    return !this.#isCleared && this.#hits < (this.#definition.options.times ?? Infinity)
  }

  clear(): void {
    this.#isCleared = true
    this.#definition.onCleared(this)
  }

  [Symbol.dispose](): void {
    this.clear()
  }

  async waitForHit(options: WaitForHitOptions = {}): Promise<void> {
    const { count = 1, timeoutMs = DEFAULT_WAIT_MS } = options
    if (this.#hits >= count) return
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (this.#hits < count) return
        end()
        resolve()
      }
      const end = () => {
        timer.cancel()
        this.#waiters.delete(look)
      }
      const timer = this.#definition.clock.schedule(timeoutMs, () => {
        end()
        const hits = `${this.#hits} of ${count} hits`
        reject(new TimeoutError(`The fault of ${this.api} had ${hits} within ${timeoutMs} ms`))
      })
      this.#waiters.add(look)
    })
  }

  /** What becomes of a request; undefined if the fault is not for it. */
  strike(intercepted: InterceptedRequest, context: FaultContext): Interception | undefined {
    const { name, options, act } = this.#definition
    const { api, request } = intercepted
    if (api.name !== name || !this.isActive) return undefined
    if (options.broker !== undefined && options.broker !== context.brokerId) return undefined
    let interception: Interception
    try {
      if (options.when?.(request as never, context) === false) return undefined
      interception = act(intercepted, context)
    } catch (error) {
      // The broker must go on; the test has to hear of it all the same.
      queueMicrotask(() => {
        throw error
      })
      return { action: 'fail', error: new KafkaError('UNKNOWN_SERVER_ERROR') }
    }
    this.#hits += 1
    for (const look of this.#waiters) look()
    return interception
  }
}
