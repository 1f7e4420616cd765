/**
 * One run of the simulated world: its seed, its time, and a fingerprint of all that happened.
 *
 * The code under simulation is ordinary asynchronous code. It stays deterministic because the only
 * sources of events are calls scheduled on the simulated clock, one of which is made at a time, and
 * because before the next one the event loop is turned until all promises have come to rest.
 */
import { sleep } from '../src/common/clock.ts'
import { eventLoopTurn } from './event-loop.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'

export interface SimulationOptions {
  readonly seed: number
  /** Receives every event with its time, for reading along. */
  readonly trace?: (line: string) => void
}

export class Simulation {
  readonly seed: number
  readonly random: SeededRandom
  readonly clock = new SimulatedClock()
  readonly #trace: ((line: string) => void) | undefined
  #hash = 0x811c_9dc5
  #events = 0

  constructor(options: SimulationOptions) {
    this.seed = options.seed
    this.random = new SeededRandom(options.seed)
    this.#trace = options.trace
  }

  /** How many events were noted. */
  get events(): number {
    return this.#events
  }

  /** Equal for two runs that noted the same events at the same times. */
  get fingerprint(): string {
    return this.#hash.toString(16).padStart(8, '0')
  }

  /** Adds an event to the fingerprint. An arrow function, so that it can be handed around. */
  readonly note = (event: string): void => {
    this.#events += 1
    const line = `${this.clock.monotonic().toFixed(3)} ${event}`
    // FNV-1a.
    let hash = this.#hash
    for (let index = 0; index < line.length; index++) {
      hash = Math.imul(hash ^ line.charCodeAt(index), 0x0100_0193)
    }
    this.#hash = hash >>> 0
    this.#trace?.(line)
  }

  /** Makes the next scheduled call and lets everything it set off come to rest. */
  async step(): Promise<boolean> {
    const stepped = this.clock.step()
    await eventLoopTurn()
    return stepped
  }

  /**
   * Lets time pass until `task` is done. Throws what it throws, and an Error if it waits for
   * something that cannot happen any more or is not done within `limitMs` of simulated time.
   */
  async run<Result>(task: () => Promise<Result>, limitMs = 3_600_000): Promise<Result> {
    const deadlineMs = this.clock.monotonic() + limitMs
    let isDone = false
    const result = task().finally(() => {
      isDone = true
    })
    // Whoever awaits `result` below sees a rejection; meanwhile it must not count as unhandled.
    result.catch(() => {})
    await eventLoopTurn()
    while (!isDone) {
      const nextMs = this.clock.nextCallMs
      if (nextMs === undefined) throw new Error('the task waits, and nothing is going to happen')
      if (nextMs > deadlineMs) throw new Error(`the task is not done after ${limitMs} ms`)
      await this.step()
    }
    return await result
  }

  /** Lets everything that can happen without time passing happen. */
  async rest(): Promise<void> {
    await eventLoopTurn()
  }

  /** Lets `durationMs` of simulated time pass. */
  async pass(durationMs: number): Promise<void> {
    await this.run(() => sleep(this.clock, durationMs), durationMs)
  }
}
