/** Those who wait for something to become so, asked whenever something has changed. */
export class Conditions {
  #watchers: (() => boolean)[] = []

  /** Resolves as soon as `isMet` says so. */
  until(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve()
    return new Promise((resolve) => {
      this.#watchers.push(() => {
        if (!isMet()) return false
        resolve()
        return true
      })
    })
  }

  /** Something has changed. */
  look(): void {
    if (this.#watchers.length > 0) this.#watchers = this.#watchers.filter((watch) => !watch())
  }
}
