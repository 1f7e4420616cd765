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

/** When the member had which partition; a killed one has nothing from then on. */
export function tenures(member: string, events: readonly Owns[], killedAt = Infinity): Tenure[] {
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
  return all
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
