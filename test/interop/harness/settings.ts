/** What a run is told from outside, by environment variables that `run.ts` sets from its flags. */

export type Target = 'samsa' | 'kafka'

function number(name: string, otherwise: number): number {
  const text = process.env[name]
  if (text === undefined || text === '') return otherwise
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new Error(`${name}=${text} is no number above 0`)
  return value
}

function target(): Target {
  const name = process.env.SAMSA_INTEROP_TARGET ?? 'samsa'
  if (name !== 'samsa' && name !== 'kafka') {
    throw new Error(`SAMSA_INTEROP_TARGET=${name}: it is either samsa or kafka`)
  }
  return name
}

export const settings = {
  /** Which broker is tested. Apache Kafka stands in to validate the tests themselves. */
  target: target(),
  /** The size of the file that goes through each client. */
  corpusMegabytes: number('SAMSA_INTEROP_MB', 200),
  /** How often the crash test kills the broker. */
  crashes: number('SAMSA_INTEROP_CRASHES', 20),
  /** The size of the log that the broker must recover after each of these crashes. */
  crashLogMegabytes: number('SAMSA_INTEROP_CRASH_MB', 1024),
  /** The one client to try, of those that `contract.ts` describes; without it, all. */
  client: process.env.SAMSA_INTEROP_CLIENT,
  /** Makes the moments of the crashes repeatable. */
  seed: number('SAMSA_INTEROP_SEED', 1 + Math.floor(Math.random() * 2 ** 31)),
}
