/**
 * What a client needs of the machine it runs on. Applications leave it to `systemEnvironment`; the
 * simulator gives a world of its own.
 */
import { type Clock, SystemClock } from '../common/clock.ts'
import { type Diagnostics, SystemDiagnostics } from '../common/diagnostics.ts'
import { type Logger, silentLogger } from '../common/logger.ts'
import type { Network } from '../common/network.ts'
import { type Random, SystemRandom } from '../common/random.ts'
import { SystemNetwork } from '../common/system-network.ts'
import type { TraceContext } from '../common/trace-context.ts'

export interface ClientEnvironment {
  readonly clock: Clock
  readonly network: Network
  readonly random: Random
  readonly log: Logger
  readonly diagnostics: Diagnostics
  /** Which trace the present work belongs to; without it, the one that the process shares. */
  readonly trace?: TraceContext
}

/** The machine itself, with a log that says nothing unless one is given. */
export function systemEnvironment(log: Logger = silentLogger): ClientEnvironment {
  return {
    // A call that waits to be made again is work: the process must not end over it.
    clock: new SystemClock({ keepsAlive: true }),
    network: new SystemNetwork(),
    random: new SystemRandom(),
    log,
    diagnostics: new SystemDiagnostics(),
  }
}
