/**
 * An asynchronous task that any number of callers ask for and that never runs twice at once.
 *
 * What a caller gets resolves at the end of a run that began after its call, so that it covers
 * everything the caller had done before. Callers that come while a run is under way share the next
 * one: a hundred requests for a sync during one sync cost one more. This is group commit.
 */
export class CoalescedTask {
  readonly #task: () => Promise<void>
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(task: () => Promise<void>) {
    this.#task = task
  }

  /** Rejects with what the run that served it threw. */
  run(): Promise<void> {
    if (this.#next !== undefined) return this.#next
    if (this.#running === undefined) return this.#start()
    const start = () => this.#start()
    this.#next = this.#running.then(start, start)
    return this.#next
  }

  /** Resolves once nothing runs or waits, whatever came of it. */
  async idle(): Promise<void> {
    while (this.#running !== undefined || this.#next !== undefined) {
      await (this.#next ?? this.#running)?.catch(() => {})
    }
  }

  #start(): Promise<void> {
    this.#next = undefined
    const running = this.#task().finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    this.#running = running
    return running
  }
}
