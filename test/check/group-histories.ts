/** Histories to judge, told step by step: each event a tick after the one before. */
import type { HistoryEvent } from '../../check/history.ts'

type Told = Record<string, unknown> & { event: HistoryEvent['event'] }

export const tell = (...events: Told[]): HistoryEvent[] =>
  events.map((event, index) => ({ process: 'a#1', at: index + 1, ...event }) as HistoryEvent)

export const GROUP = 'g'

/** One process's view of partition 0. */
export function teller(process: string, instance = '') {
  const base = { process, group: GROUP }
  const member = `${process}-id`
  let commits = 0
  return {
    started: (): Told => ({ process, event: 'started' }),
    assigned: (generation: number, partitions: number[] = [0]): Told => ({
      ...base,
      ...{ event: 'assigned', member, instance, generation, partitions },
    }),
    processed: (offset: number, ...ids: string[]): Told => ({
      ...base,
      ...{ event: 'processed', partition: 0, offset, ids },
    }),
    /** Intention and answer; a code of null is no answer. */
    commit: (offset: number, generation: number, code: number | null = 0): Told[] => {
      const commit = commits++
      const offsets = { '0': offset }
      const asked: Told = { ...base, event: 'committing', commit, offsets }
      const answer = { event: 'committed', commit, member, instance, generation } as const
      return code === null ? [asked] : [asked, { ...base, ...answer, codes: { '0': code } }]
    },
  }
}

export const produced = (offset: number, id: string): Told => ({
  ...{ event: 'produced', process: 'p#1', topic: 't', partition: 0, offset, id },
})

/** An onlooker's OffsetFetch, asked at tick `from`. */
export const observed = (from: number, ...offsets: number[]): Told => ({
  ...{ event: 'observed', process: 'stage', group: GROUP, from, offsets },
})
