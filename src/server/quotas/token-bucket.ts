/**
 * Permits for changes, as Kafka gives them (KIP-599): they come at a rate, up to what some windows
 * of time would bring, and one request may overdraw them. What is below zero has to be waited for.
 */
export class TokenBucket {
  #tokens: number
  #updatedMs: number

  constructor(capacity: number, nowMs: number) {
    this.#tokens = capacity
    this.#updatedMs = nowMs
  }

  /** Milliseconds until there is no debt, at `rate` permits a second. */
  waitMs(rate: number, capacity: number, nowMs: number): number {
    this.#refill(rate, capacity, nowMs)
    return this.#tokens >= 0 ? 0 : Math.round((-this.#tokens / rate) * 1000)
  }

  take(permits: number): void {
    this.#tokens -= permits
  }

  #refill(rate: number, capacity: number, nowMs: number): void {
    const earned = (rate * Math.max(nowMs - this.#updatedMs, 0)) / 1000
    this.#tokens = Math.min(capacity, this.#tokens + earned)
    this.#updatedMs = nowMs
  }
}
