/**
 * What is measured, as Kafka's clients do it: totals since the beginning; rates, averages, maxima
 * over the last 30 to 60 seconds (two windows of half a minute, of which the older one is whole).
 *
 * Recording is a few additions. Whoever records has looked at the clock already, and gives the time
 * (monotonic, in milliseconds).
 */
const WINDOW_MS = 30_000

/** Two windows; `roll` moves on as time does. */
abstract class Windowed {
  #startMs = Number.NaN

  /** Begins a new window where it is time for one. */
  protected roll(nowMs: number): void {
    if (nowMs - this.#startMs < WINDOW_MS) return
    const isAdjacent = nowMs - this.#startMs < 2 * WINDOW_MS
    this.turn(isAdjacent)
    this.#startMs = isAdjacent ? this.#startMs + WINDOW_MS : nowMs
  }

  /** Since when the windows count, in milliseconds before now. */
  protected age(nowMs: number, hasPrevious: boolean): number {
    return nowMs - this.#startMs + (hasPrevious ? WINDOW_MS : 0)
  }

  /** The present window becomes the previous one, if it is the one before the next. */
  protected abstract turn(isAdjacent: boolean): void
}

/** How much of something there has been, and how much in a second. */
export class Meter extends Windowed {
  total = 0
  #current = 0
  #previous = 0
  #hasPrevious = false

  record(amount: number, nowMs: number): void {
    this.roll(nowMs)
    this.total += amount
    this.#current += amount
  }

  /** Per second. */
  rate(nowMs: number): number {
    this.roll(nowMs)
    // Of less than a window not much can be said: it counts as one, lest the first event weigh all.
    const ageMs = Math.max(this.age(nowMs, this.#hasPrevious), WINDOW_MS)
    return ((this.#current + this.#previous) * 1000) / ageMs
  }

  protected override turn(isAdjacent: boolean): void {
    this.#hasPrevious = isAdjacent
    this.#previous = isAdjacent ? this.#current : 0
    this.#current = 0
  }
}

/** How large something is. NaN while there was none in the windows, as Kafka has it. */
export class Distribution extends Windowed {
  #count = 0
  #sum = 0
  #max = Number.NaN
  #previous = { count: 0, sum: 0, max: Number.NaN }

  record(value: number, nowMs: number): void {
    this.roll(nowMs)
    this.#count += 1
    this.#sum += value
    if (!(this.#max >= value)) this.#max = value
  }

  average(nowMs: number): number {
    this.roll(nowMs)
    return (this.#sum + this.#previous.sum) / (this.#count + this.#previous.count)
  }

  max(nowMs: number): number {
    this.roll(nowMs)
    const { max } = this.#previous
    return this.#max >= max || Number.isNaN(max) ? this.#max : max
  }

  protected override turn(isAdjacent: boolean): void {
    const { count, sum, max } = isAdjacent
      ? { count: this.#count, sum: this.#sum, max: this.#max }
      : { count: 0, sum: 0, max: Number.NaN }
    this.#previous = { count, sum, max }
    this.#count = 0
    this.#sum = 0
    this.#max = Number.NaN
  }
}
