/**
 * Keeps the process from ending while something is under way. Neither sockets nor timers of a test
 * cluster do that, so that a process which forgets to stop it can end; but whoever awaits a call of
 * the cluster is to see it return.
 */
import { type Clock, SystemClock } from '../common/clock.ts'

export class KeepAlive {
  /** The machine's own clock, with timers that keep the process alive. */
  readonly clock: Clock = new SystemClock({ keepsAlive: true })

  /** Keeps the process alive until `operation` is done. */
  async during<Result>(operation: () => Promise<Result>): Promise<Result> {
    const forEver = this.clock.schedule(Number.POSITIVE_INFINITY, () => {})
    try {
      return await operation()
    } finally {
      forEver.cancel()
    }
  }
}
