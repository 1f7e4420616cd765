/** Tasks under names: those of one name run one after the other, whatever becomes of each. */
export class KeyedQueue {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs `task` when those of the same name that were asked for before have ended. */
  async run<T>(name: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name)
    const running = (async () => {
      await before?.catch(() => {})
      return task()
    })()
    this.#last.set(name, running)
    try {
      return await running
    } finally {
      if (this.#last.get(name) === running) this.#last.delete(name)
    }
  }

  /** Resolves when all tasks have ended that have been asked for until now. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#last.values())
  }
}
