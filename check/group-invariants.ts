/**
 * What must hold of consumer groups, whatever happens to members and broker, decided over a
 * history and nothing else. The topic's logs have no gaps: every offset is a record.
 *
 * Ownership is a claim with evidence: somebody was told by the group that a partition is theirs in
 * a generation, or a commit for it under that generation was accepted. In the consumer protocol
 * (KIP-848) a member's epoch takes the generation's place: a partition goes to its next owner at an
 * epoch that the last one could not reach without having given it up.
 */
import {
  type Assigned,
  type Committed,
  type Committing,
  eventsOf,
  type History,
  type HistoryEvent,
  type Violation,
} from './history.ts'

/** Accepted, or asked for without an answer that says no. */
interface Commit {
  group: string
  partition: number
  offset: number
  from: Committing
  /** The answer that it was accepted. */
  accepted?: Committed
}

/** What the groups are, and the end offsets of the partitions that they read. */
export interface GroupsExpected {
  groups: readonly { name: string; protocol: 'eager' | 'cooperative' | 'consumer' }[]
  ends: readonly number[]
}

/** Every violation in a history of groups. */
export function checkGroups(history: History, expected: GroupsExpected): Violation[] {
  return [
    ...recordsAreThemselves(history),
    ...expected.groups.flatMap(({ name, protocol }) => {
      const own = history.filter((event) => 'group' in event && event.group === name)
      const commits = commitsOf(own)
      return [
        ...oneOwnerPerGeneration(own, commits),
        ...staleCommitsAreRefused(own, commits, protocol !== 'consumer'),
        ...fencedInstancesAreRefused(history, commits),
        ...commitsAreKept(own, commits),
        ...ownersGoOnFromCommits(own, commits),
        ...nothingIsSkipped(own),
        ...everythingIsProcessed(history, own, expected.ends, name),
      ]
    }),
  ]
}

const key = (process: string, commit: number): string => `${process} ${commit}`

/** Commits that were, or may have been, carried out; those that were refused are left out. */
function commitsOf(history: History): Commit[] {
  const answers = new Map<string, Committed>()
  for (const each of eventsOf(history, 'committed')) {
    answers.set(key(each.process, each.commit), each)
  }
  return eventsOf(history, 'committing').flatMap((from) => {
    const answer = answers.get(key(from.process, from.commit))
    return Object.entries(from.offsets).flatMap(([partition, offset]) => {
      const code = answer?.codes?.[partition]
      if (code !== undefined && code !== 0) return []
      const accepted = code === 0 ? answer : undefined
      return [{ group: from.group, partition: Number(partition), offset, from, accepted }]
    })
  })
}

/** A static member is its instance, under whatever member id; any other is its member id. */
const ownerOf = (event: Assigned | Committed): string => event.instance || event.member

interface Claim {
  partition: number
  generation: number
  owner: string
  event: Assigned | Committed
}

function claimsOf(history: History, commits: readonly Commit[]): Claim[] {
  const assigned = eventsOf(history, 'assigned').flatMap((event) =>
    event.partitions.map((partition) => ({ partition, event: event as Assigned | Committed })),
  )
  const accepted = commits.flatMap(({ partition, accepted: event }) =>
    event === undefined ? [] : [{ partition, event: event as Assigned | Committed }],
  )
  return [...assigned, ...accepted].map(({ partition, event }) => ({
    partition,
    generation: event.generation,
    owner: ownerOf(event),
    event,
  }))
}

function oneOwnerPerGeneration(history: History, commits: readonly Commit[]): Violation[] {
  const first = new Map<string, Claim>()
  const violations: Violation[] = []
  for (const claim of claimsOf(history, commits)) {
    const place = `${claim.partition} ${claim.generation}`
    const other = first.get(place)
    if (other === undefined) first.set(place, claim)
    else if (other.owner !== claim.owner) {
      violations.push({
        invariant: 'a partition has one owner in a generation',
        found:
          `partition ${claim.partition} of ${claim.event.group} in generation ` +
          `${claim.generation} is ${other.owner}'s and ${claim.owner}'s`,
        events: [other.event, claim.event],
      })
    }
  }
  return violations
}

/** Whether `claim`, known before a commit began, means that the commit must be refused. */
function fences(claim: Claim, commit: Commit, isClassic: boolean): boolean {
  const accepted = commit.accepted!
  if (claim.event.at >= commit.from.at) return false
  const isNewer = claim.generation > accepted.generation
  // A classic group is in one generation as a whole.
  if (isClassic && isNewer) return true
  return isNewer && claim.owner !== ownerOf(accepted) && claim.partition === commit.partition
}

/**
 * Who comes under the `group.instance.id` of another takes its place. Which of the two came last is
 * certain where the process of one began after the other had been assigned to.
 */
function fencedInstancesAreRefused(history: History, commits: readonly Commit[]): Violation[] {
  const assigned = eventsOf(history, 'assigned').filter(({ instance }) => instance !== '')
  const began = new Map(eventsOf(history, 'started').map(({ process, at }) => [process, at]))
  return commits.flatMap(({ accepted, from }) => {
    if (accepted === undefined || accepted.instance === '') return []
    const own = assigned.find(({ member }) => member === accepted.member)
    const successor = assigned.find(
      (event) =>
        event.instance === accepted.instance &&
        event.process !== accepted.process &&
        own !== undefined &&
        (began.get(event.process) ?? 0) > own.at &&
        event.at < from.at,
    )
    if (successor === undefined) return []
    return [
      {
        invariant: 'a commit of a fenced static member is refused',
        found: `${from.process} committed after ${successor.process} had taken its place`,
        events: [successor, from, accepted],
      },
    ]
  })
}

/** A member that was paused for too long comes back with a generation that is over. */
function staleCommitsAreRefused(
  history: History,
  commits: readonly Commit[],
  isClassic: boolean,
): Violation[] {
  const assignments = eventsOf(history, 'assigned').flatMap((event) => {
    // Also a member that was given nothing knows the generation: it claims no partition.
    const partitions = event.partitions.length > 0 ? event.partitions : [-1]
    return partitions.map((partition) => ({
      partition,
      generation: event.generation,
      owner: ownerOf(event),
      event,
    }))
  })
  return commits
    .filter(({ accepted }) => accepted !== undefined)
    .flatMap((commit) => {
      const newer = assignments.find((claim) => fences(claim, commit, isClassic))
      if (newer === undefined) return []
      return [
        {
          invariant: 'a commit of a generation that is over is refused',
          found:
            `${commit.from.process} committed ${commit.offset} for partition ` +
            `${commit.partition} in generation ${commit.accepted?.generation}, after ` +
            `${newer.event.process} was in generation ${newer.generation}`,
          events: [newer.event, commit.from, commit.accepted!],
        },
      ]
    })
}

/** The highest accepted commit among those that were acknowledged before a moment. */
function acknowledgedBefore(
  commits: readonly Commit[],
  partition: number,
  at: number,
): Commit | undefined {
  let highest: Commit | undefined
  for (const commit of commits) {
    if (commit.partition !== partition || commit.accepted === undefined) continue
    if (commit.accepted.at >= at) continue
    if (highest === undefined || commit.offset > highest.offset) highest = commit
  }
  return highest
}

/** What an onlooker fetches is never below what was acknowledged, and was committed by somebody. */
function commitsAreKept(history: History, commits: readonly Commit[]): Violation[] {
  const invariant = 'a committed offset is neither lost nor moved back'
  return eventsOf(history, 'observed').flatMap((event) =>
    event.offsets.flatMap((offset, partition): Violation[] => {
      const floor = acknowledgedBefore(commits, partition, event.from)
      const where = `partition ${partition} of ${event.group} is at ${offset}`
      if (floor !== undefined && offset < floor.offset) {
        return [
          {
            invariant,
            found: `${where}, after ${floor.offset} was acknowledged`,
            events: [floor.from, floor.accepted!, event],
          },
        ]
      }
      const isKnown = commits.some(
        (commit) =>
          commit.partition === partition && commit.offset === offset && commit.from.at < event.at,
      )
      if (offset < 0 || isKnown) return []
      return [{ invariant, found: `${where}, which nobody committed`, events: [event] }]
    }),
  )
}

/** Whoever gets a partition starts where the commits are, not before. */
function ownersGoOnFromCommits(history: History, commits: readonly Commit[]): Violation[] {
  const pending = new Map<string, Assigned>()
  return history.flatMap((event): Violation[] => {
    if (event.event === 'assigned') {
      for (const partition of event.partitions) pending.set(`${event.process} ${partition}`, event)
    }
    if (event.event !== 'processed') return []
    const place = `${event.process} ${event.partition}`
    const assigned = pending.get(place)
    if (assigned === undefined) return []
    pending.delete(place)
    const floor = acknowledgedBefore(commits, event.partition, assigned.at)
    if (floor === undefined || event.offset >= floor.offset) return []
    return [
      {
        invariant: 'a new owner goes on from the committed offset',
        found:
          `${event.process} began partition ${event.partition} of ${event.group} at ` +
          `${event.offset}, after ${floor.offset} was acknowledged`,
        events: [floor.from, floor.accepted!, assigned, event],
      },
    ]
  })
}

/** Nobody works on a record, or commits past it, before all before it were worked on. */
function nothingIsSkipped(history: History): Violation[] {
  const invariant = 'no record is skipped'
  /** By partition: the offset after the records that have all been processed. */
  const reached = new Map<number, number>()
  const violations: Violation[] = []
  const mustBeAtMost = (partition: number, offset: number, event: HistoryEvent): void => {
    const next = reached.get(partition) ?? 0
    if (offset <= next) return
    const found =
      `${event.process} is at ${offset} of partition ${partition}, ` +
      `and ${next} was not processed`
    violations.push({ invariant, found, events: [event] })
  }
  for (const event of history) {
    if (event.event === 'committing') {
      for (const [partition, offset] of Object.entries(event.offsets)) {
        mustBeAtMost(Number(partition), offset, event)
      }
    }
    if (event.event !== 'processed') continue
    mustBeAtMost(event.partition, event.offset, event)
    const end = event.offset + event.ids.length
    reached.set(event.partition, Math.max(reached.get(event.partition) ?? 0, end))
  }
  return violations
}

/** When all is over, every record was processed and the commits are at the ends. */
function everythingIsProcessed(
  all: History,
  own: History,
  ends: readonly number[],
  group: string,
): Violation[] {
  const seen = new Set<string>()
  for (const { partition, offset, ids } of eventsOf(own, 'processed')) {
    for (let index = 0; index < ids.length; index++) seen.add(`${partition} ${offset + index}`)
  }
  const missed = eventsOf(all, 'produced').filter(
    ({ partition, offset }) => !seen.has(`${partition} ${offset}`),
  )
  const violations: Violation[] = missed.map((event) => ({
    invariant: 'every acknowledged record is processed at least once',
    found: `${event.id} at ${event.partition}/${event.offset} was never processed by ${group}`,
    events: [event],
  }))
  const last = eventsOf(own, 'observed').at(-1)
  for (const [partition, end] of ends.entries()) {
    const offset = Math.max(last?.offsets[partition] ?? -1, 0)
    if (offset === end) continue
    violations.push({
      invariant: 'a group that is left in peace commits everything',
      found: `partition ${partition} of ${group} ends at ${end} and is committed up to ${offset}`,
      events: last === undefined ? [] : [last],
    })
  }
  return violations
}

/** A record is one record at one offset, the same to its producer and to everybody who reads it. */
function recordsAreThemselves(history: History): Violation[] {
  const byPlace = new Map<string, { id: string; event: HistoryEvent }>()
  const byId = new Map<string, { place: string; event: HistoryEvent }>()
  const violations: Violation[] = []
  const see = (id: string, place: string, event: HistoryEvent): void => {
    const there = byPlace.get(place)
    const known = byId.get(id)
    if (there === undefined) byPlace.set(place, { id, event })
    if (known === undefined) byId.set(id, { place, event })
    if ((there?.id ?? id) === id && (known?.place ?? place) === place) return
    const other = there !== undefined && there.id !== id ? there.event : known!.event
    violations.push({
      invariant: 'a record is at one offset, once, and stays what it is',
      found:
        `${id} at ${place}; before: ${there?.id ?? 'nothing'} there, ` +
        `and ${id} at ${known?.place ?? 'no place'}`,
      events: [other, event],
    })
  }
  for (const event of history) {
    if (event.event === 'produced') see(event.id, `${event.partition}/${event.offset}`, event)
    if (event.event !== 'processed') continue
    event.ids.forEach((id, index) => {
      see(id, `${event.partition}/${event.offset + index}`, event)
    })
  }
  return violations
}
