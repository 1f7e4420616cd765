/**
 * Who had which partition when, and whether two members had one at once. Members whose client tells
 * the moment at which it gives a partition up must at no time have one that another has; for the
 * others it is the generation in which they must not.
 */
import type { Owns } from '../contract.ts'

export interface Tenure {
  member: string
  partition: number
  generation?: number
  from: number
  to: number
}

/** When a member was killed, and when its broker was. */
export interface Ends {
  killedAt?: number | undefined
  crashedAt?: number | undefined
}

/**
 * When the member had which partition. A killed one has nothing from then on. What is owned when
 * the broker crashes counts until then: whose session ends while there is none cannot hear of it.
 */
export function tenures(
  member: string,
  events: readonly Owns[],
  { killedAt = Infinity, crashedAt = Infinity }: Ends = {},
): Tenure[] {
  const open = new Map<number, Tenure>()
  const all: Tenure[] = []
  for (const { partitions: now, at, generation } of events) {
    for (const [partition, tenure] of open) {
      if (now.includes(partition) && tenure.generation === generation) continue
      tenure.to = at
      open.delete(partition)
    }
    for (const partition of now) {
      if (open.has(partition)) continue
      const tenure = { member, partition, generation, from: at, to: killedAt }
      open.set(partition, tenure)
      all.push(tenure)
    }
  }
  return all.map((tenure) => {
    const spansCrash = tenure.from < crashedAt && crashedAt < tenure.to
    return spansCrash ? { ...tenure, to: crashedAt } : tenure
  })
}

/** Pairs of tenures of one partition that overlap. */
export function conflicts(all: readonly Tenure[]): [Tenure, Tenure][] {
  const sorted = [...all].sort((one, other) => one.from - other.from || one.to - other.to)
  return sorted.flatMap((one, index) =>
    sorted
      .slice(index + 1)
      .filter((other) => other.partition === one.partition && other.generation === one.generation)
      .filter((other) => one.generation !== undefined || other.from < one.to)
      .filter((other) => other.member !== one.member)
      .map((other): [Tenure, Tenure] => [one, other]),
  )
}
