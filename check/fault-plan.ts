/**
 * What goes wrong in a run, and when: a list that follows from the seed alone, made before anything
 * starts, so that a run that failed can be had again as nearly as processes on a machine allow.
 */

export type Deed =
  /** SIGKILL; somebody starts in its place `forMs` later. */
  | 'kill'
  /** SIGSTOP for `forMs`. */
  | 'pause'
  /** SIGTERM, so that it leaves in order; its successor starts `forMs` later. */
  | 'leave'
  /** SIGSTOP, and a successor of the same name at once; `forMs` later the old one wakes up. */
  | 'supersede'

export interface Fault {
  atMs: number
  deed: Deed
  /** A role, or `broker`. */
  who: string
  forMs: number
}

export interface Role {
  name: string
  deeds: readonly Deed[]
}

export const BROKER = 'broker'

/** A small generator with a seed (mulberry32): numbers from 0 up to 1. */
export function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** How long each deed lasts, from and to, in milliseconds. */
const DURATIONS: Record<Deed, readonly [number, number]> = {
  kill: [0, 2_000],
  // Below and above the session timeout of 3 s.
  pause: [200, 7_000],
  leave: [0, 2_000],
  supersede: [1_000, 6_000],
}

/** The broker is stopped for less than the clients' own time limits, at times above a session's. */
const BROKER_DURATIONS: Record<'kill' | 'pause', readonly [number, number]> = {
  kill: [0, 500],
  pause: [100, 4_500],
}

/** From this moment on things go wrong: the clients should have begun. */
const QUIET_MS = 4_000

/** Plans the faults of `lengthMs`; one in five strikes the broker. */
export function planFaults(seed: number, lengthMs: number, roles: readonly Role[]): Fault[] {
  const random = generator(seed)
  const between = ([from, to]: readonly [number, number]) =>
    Math.round(from + random() * (to - from))
  const oneOf = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const faults: Fault[] = []
  let brokerFreeMs = 0
  for (let atMs = QUIET_MS; atMs < lengthMs; atMs += between([100, 1_500])) {
    if (random() < 0.2 && atMs >= brokerFreeMs) {
      const deed = oneOf(['kill', 'pause'] as const)
      const forMs = between(BROKER_DURATIONS[deed])
      faults.push({ atMs, deed, who: BROKER, forMs })
      // Between two blows the broker gets the time to do what may go wrong.
      brokerFreeMs = atMs + forMs + 5_000
      continue
    }
    const role = oneOf(roles)
    const deed = oneOf(role.deeds)
    faults.push({ atMs, deed, who: role.name, forMs: between(DURATIONS[deed]) })
  }
  return faults
}

/** The plan as lines to print. */
export function describePlan(faults: readonly Fault[]): string {
  return faults
    .map(({ atMs, deed, who, forMs }) => {
      const at = (atMs / 1000).toFixed(1).padStart(7)
      return `${at} s  ${deed.padEnd(9)} ${who.padEnd(14)} ${forMs} ms\n`
    })
    .join('')
}
