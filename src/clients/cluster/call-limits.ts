/**
 * How long a call may go on: until a deadline, or until its AbortSignal says stop.
 *
 * All waits of a call go through here, so that none of them outlasts it.
 */
import type { Clock } from '../../common/clock.ts'
import { TimeoutError } from '../errors.ts'

/** What every call of a client can be told. */
export interface CallOptions {
  /** How long the call may take, in milliseconds; without it `default.api.timeout.ms`. */
  readonly timeoutMs?: number | undefined
  /** Ends the call early: it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

export class CallLimits {
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number
  readonly #clock: Clock
  readonly #deadlineMs: number
  /** What went wrong last, for the message of a timeout. */
  lastError: Error | undefined

  constructor(clock: Clock, options: CallOptions, defaultTimeoutMs: number) {
    this.#clock = clock
    this.signal = options.signal
    this.timeoutMs = options.timeoutMs ?? defaultTimeoutMs
    this.#deadlineMs = clock.monotonic() + this.timeoutMs
  }

  /** Milliseconds that are left, 0 when the time is up. */
  get remainingMs(): number {
    return Math.max(0, this.#deadlineMs - this.#clock.monotonic())
  }

  /** Throws if the call must end. */
  check(): void {
    this.signal?.throwIfAborted()
    if (this.remainingMs === 0) throw this.timeout()
  }

  timeout(): TimeoutError {
    const because = this.lastError === undefined ? '' : `: ${this.lastError.message}`
    const options = this.lastError === undefined ? {} : { cause: this.lastError }
    return new TimeoutError(`The call was not done within ${this.timeoutMs} ms${because}`, options)
  }

  /** Waits. Rejects as soon as the call must end. */
  sleep(delayMs: number): Promise<void> {
    return this.wait(new Promise((resolve) => this.#clock.schedule(delayMs, resolve)))
  }

  /** What `promise` becomes; rejects as soon as the call must end, whatever becomes of it. */
  async wait<Value>(promise: Promise<Value>): Promise<Value> {
    // Whatever becomes of it after the call has ended concerns nobody.
    promise.catch(() => {})
    this.check()
    return await new Promise((resolve, reject) => {
      const timer = this.#clock.schedule(this.remainingMs, () => end(() => reject(this.timeout())))
      const abort = () => end(() => reject(this.signal!.reason))
      const end = (settle: () => void) => {
        timer.cancel()
        this.signal?.removeEventListener('abort', abort)
        settle()
      }
      this.signal?.addEventListener('abort', abort)
      promise.then(
        (value) => end(() => resolve(value)),
        (error) => end(() => reject(error)),
      )
    })
  }
}
