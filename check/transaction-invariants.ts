/**
 * What must hold of transactions, whatever happens to clients and broker, decided over a history
 * and nothing else. A transaction's fate is what its own process was told: committed if it was
 * acknowledged, aborted unless a commit was asked for, and in between (killed while it committed,
 * or an error for an answer) either, but as a whole and the same to every reader.
 */
import {
  type Began,
  type Ended,
  type Ending,
  eventsOf,
  type History,
  type HistoryEvent,
  type Initialized,
  type Produced,
  type Read,
  type Violation,
} from './history.ts'

/** The value of a record that was written in a transaction. */
interface Item {
  transaction: string
  index: number
  count: number
  source?: string
}

interface Transaction {
  began: Began
  ending?: Ending
  ended?: Ended
}

/** One record as a reader got it. */
interface Seen {
  item: Item
  offset: number
  place: string
  event: Read
}

export interface TransactionsExpected {
  /** The topic that transactions read from. */
  input: string
  /** The end offsets of that topic. */
  ends: readonly number[]
  /** Groups whose members write a record to `output` for each record of the input. */
  pipelines: readonly { group: string; output: string }[]
  /** The topics that transactions write to. */
  outputs: readonly string[]
}

/** Every violation in a history of transactions. */
export function checkTransactions(history: History, expected: TransactionsExpected): Violation[] {
  const transactions = transactionsOf(history)
  const last = eventsOf(history, 'complete').filter(
    ({ isolation }) => isolation === 'read_committed',
  )
  const final = readsOf(history, last.at(-1)?.process ?? '', expected.outputs)
  return [
    ...theLastReaderCompletes(last.length > 0),
    ...committedAreWhole(transactions, final),
    ...recordsAreReadOnce(final),
    ...recordsAreInOrder(history, final),
    ...abortedAreNeverRead(history, transactions, expected.outputs),
    ...readersAgree(history, final, expected.outputs),
    ...expected.pipelines.flatMap(({ group, output }) => [
      ...sourcesAreUsedOnce(history, final, expected.input, output),
      ...inputIsUsedUp(history, group, expected.ends),
    ]),
    ...fencedDoNotCommit(history, transactions),
    ...nothingIsLeftOpen(history),
  ]
}

export type Fate = 'committed' | 'aborted' | 'unknown'

function fateOf({ ending, ended }: Transaction): Fate {
  if (ending === undefined || !ending.commit) return 'aborted'
  return ended?.outcome ?? 'unknown'
}

/** How many transactions came to which end: a run in which one is missing shows little. */
export function countFates(history: History): Record<Fate, number> {
  const counts: Record<Fate, number> = { committed: 0, aborted: 0, unknown: 0 }
  for (const transaction of transactionsOf(history).values()) counts[fateOf(transaction)] += 1
  return counts
}

function transactionsOf(history: History): Map<string, Transaction> {
  const transactions = new Map<string, Transaction>()
  for (const event of history) {
    if (event.event === 'began') transactions.set(event.transaction, { began: event })
    if (event.event !== 'ending' && event.event !== 'ended') continue
    const known = transactions.get(event.transaction)
    if (known === undefined) throw new Error(`${event.transaction} ends and never began`)
    if (event.event === 'ending') known.ending = event
    else known.ended = event
  }
  return transactions
}

const eventsIn = ({ began, ending, ended }: Transaction): HistoryEvent[] =>
  [began, ending, ended].filter((event) => event !== undefined)

/** What a reader's process read of the transactions' topics, in its order. */
function readsOf(history: History, process: string, topics: readonly string[]): Seen[] {
  return eventsOf(history, 'read')
    .filter((event) => event.process === process && topics.includes(event.topic))
    .flatMap((event) =>
      event.records.map(([offset, value]) => ({
        item: JSON.parse(value) as Item,
        offset,
        place: `${event.topic}-${event.partition}`,
        event,
      })),
    )
}

function theLastReaderCompletes(isComplete: boolean): Violation[] {
  if (isComplete) return []
  const found = 'no reader of committed records came to the ends'
  return [{ invariant: 'committed records can be read to the ends', found, events: [] }]
}

/** All of a committed transaction, all or nothing of one whose outcome nobody was told. */
function committedAreWhole(
  transactions: ReadonlyMap<string, Transaction>,
  final: readonly Seen[],
): Violation[] {
  const read = new Map<string, Set<number>>()
  for (const { item } of final) {
    const indexes = read.get(item.transaction) ?? new Set()
    read.set(item.transaction, indexes.add(item.index))
  }
  return [...transactions].flatMap(([name, transaction]) => {
    const count = transaction.began.partitions.length
    const found = read.get(name)?.size ?? 0
    const fate = fateOf(transaction)
    if (fate === 'aborted' || found === count) return []
    if (fate === 'unknown' && found === 0) return []
    return [
      {
        invariant: 'a committed transaction is read whole',
        found: `${found} of ${count} records of ${name} are read, which is ${fate}`,
        events: eventsIn(transaction),
      },
    ]
  })
}

function recordsAreReadOnce(final: readonly Seen[]): Violation[] {
  const first = new Map<string, Seen>()
  return final.flatMap((seen) => {
    const { transaction, index } = seen.item
    const name = `${transaction}/${index}`
    const other = first.get(name)
    if (other === undefined) {
      first.set(name, seen)
      return []
    }
    return [
      {
        invariant: 'a record of a transaction is in the log once',
        found: `${name} is at ${other.place}/${other.offset} and at ${seen.place}/${seen.offset}`,
        events: [other.event, seen.event],
      },
    ]
  })
}

/** Whether `other` got the transactional id after `one` did: each time its epoch rises. */
const isAfter = (other: Initialized, one: Initialized): boolean =>
  other.producerId === one.producerId
    ? other.producerEpoch > one.producerEpoch
    : other.producerId > one.producerId

/** By process, its turn among all who got an id: as they got it, not as they began. */
function turnsOf(history: History): Map<string, number> {
  const inTurn = eventsOf(history, 'initialized').sort((one, other) =>
    isAfter(one, other) ? 1 : -1,
  )
  return new Map(inTurn.map(({ process }, turn) => [process, turn]))
}

/** Within a partition, one producer's transactions and their records keep their order. */
function recordsAreInOrder(history: History, final: readonly Seen[]): Violation[] {
  const turns = turnsOf(history)
  // `role#incarnation.number` as numbers that rise with time, for one role.
  const sequenceOf = ({ transaction, index }: Item): number[] => {
    const [process = '', number] = transaction.split('.')
    return [turns.get(process) ?? -1, Number(number), index]
  }
  const previous = new Map<string, Seen>()
  return final.flatMap((seen) => {
    const line = `${seen.place} ${seen.item.transaction.split('#')[0]}`
    const before = previous.get(line)
    previous.set(line, seen)
    if (before === undefined) return []
    const [one, other] = [sequenceOf(before.item), sequenceOf(seen.item)]
    const differing = one.findIndex((value, at) => value !== other[at])
    if (differing < 0 || one[differing]! < other[differing]!) return []
    return [
      {
        invariant: 'a producer’s records keep their order',
        found:
          `${seen.item.transaction}/${seen.item.index} at ${seen.place}/${seen.offset} comes ` +
          `after ${before.item.transaction}/${before.item.index} at ${before.offset}`,
        events: [before.event, seen.event],
      },
    ]
  })
}

/** By any reader of committed records, at any time. */
function abortedAreNeverRead(
  history: History,
  transactions: ReadonlyMap<string, Transaction>,
  topics: readonly string[],
): Violation[] {
  return readers(history).flatMap((process) =>
    readsOf(history, process, topics).flatMap(({ item, place, offset, event }) => {
      const transaction = transactions.get(item.transaction)
      if (transaction !== undefined && fateOf(transaction) !== 'aborted') return []
      return [
        {
          invariant: 'a record that was not committed is never read by read_committed',
          found: `${process} read ${item.transaction}/${item.index} at ${place}/${offset}`,
          events: [...(transaction === undefined ? [] : eventsIn(transaction)), event],
        },
      ]
    }),
  )
}

/** The processes that read committed records. */
const readers = (history: History): string[] =>
  eventsOf(history, 'reading')
    .filter(({ isolation }) => isolation === 'read_committed')
    .map(({ process }) => process)

/** What any reader got, up to where it got, is what the last one got: no more, no less. */
function readersAgree(
  history: History,
  final: readonly Seen[],
  topics: readonly string[],
): Violation[] {
  const invariant = 'every reader reads the same'
  const byPlace = Map.groupBy(final, ({ place }) => place)
  return readers(history).flatMap((process) => {
    const own = Map.groupBy(readsOf(history, process, topics), ({ place }) => place)
    return [...own].flatMap(([place, seen]): Violation[] => {
      const expected = byPlace.get(place) ?? []
      const at = seen.findIndex(
        ({ offset, item }, index) =>
          expected[index]?.offset !== offset ||
          expected[index].item.transaction !== item.transaction ||
          expected[index].item.index !== item.index,
      )
      const got = seen[at]
      if (got === undefined) return []
      const other = expected[at]
      const found =
        `${process} read ${got.item.transaction}/${got.item.index} at ${place}/${got.offset}, ` +
        `the last reader ${other?.item.transaction}/${other?.item.index} at ${other?.offset}`
      return [{ invariant, found, events: [got.event, ...(other ? [other.event] : [])] }]
    })
  })
}

/** Exactly once: every input record has one output record. */
function sourcesAreUsedOnce(
  history: History,
  final: readonly Seen[],
  input: string,
  output: string,
): Violation[] {
  const outputs = Map.groupBy(
    final.filter(({ event, item }) => event.topic === output && item.source !== undefined),
    ({ item }) => item.source,
  )
  const isInput = (event: Produced): boolean => event.topic === input
  const unused = eventsOf(history, 'produced')
    .filter((event) => isInput(event) && !outputs.has(`${event.partition}/${event.offset}`))
    .map((event) => ({
      invariant: 'every input record has its output',
      found: `${event.id} at ${event.partition}/${event.offset} has none in ${output}`,
      events: [event],
    }))
  const repeated = [...outputs].flatMap(([source, seen]) =>
    seen.length === 1
      ? []
      : [
          {
            invariant: 'an input record has one output',
            found:
              `${source} has ${seen.length} in ${output}: ` +
              seen.map(({ item }) => item.transaction).join(', '),
            events: seen.map(({ event }) => event),
          },
        ],
  )
  return [...unused, ...repeated]
}

/** The group's offsets come to the ends, and never go back on the way. */
function inputIsUsedUp(history: History, group: string, ends: readonly number[]): Violation[] {
  const observed = eventsOf(history, 'observed').filter((event) => event.group === group)
  const back = observed.flatMap((event, index) => {
    const before = observed[index - 1]
    if (before === undefined || before.at > event.from) return []
    const partition = event.offsets.findIndex((offset, at) => offset < (before.offsets[at] ?? -1))
    if (partition < 0) return []
    return [
      {
        invariant: 'an offset committed in a transaction does not move back',
        found:
          `partition ${partition} of ${group} went from ${before.offsets[partition]} to ` +
          `${event.offsets[partition]}`,
        events: [before, event],
      },
    ]
  })
  const last = observed.at(-1)
  const short = ends.flatMap((end, partition) => {
    const offset = Math.max(last?.offsets[partition] ?? -1, 0)
    if (offset === end) return []
    return [
      {
        invariant: 'input offsets and output move together, and come to the end',
        found: `partition ${partition} of ${group} ends at ${end}, committed is ${offset}`,
        events: last === undefined ? [] : [last],
      },
    ]
  })
  return [...back, ...short]
}

/** Whoever began to commit after another process got the transactional id is refused. */
function fencedDoNotCommit(
  history: History,
  transactions: ReadonlyMap<string, Transaction>,
): Violation[] {
  const owners = Map.groupBy(eventsOf(history, 'initialized'), (event) => event.transactionalId)
  return [...transactions].flatMap(([name, transaction]) => {
    const { began, ending } = transaction
    if (fateOf(transaction) !== 'committed' || ending === undefined) return []
    const mine = owners.get(began.transactionalId) ?? []
    const own = mine.find(({ process }) => process === began.process)
    // It counts who was given the id last, not who wrote it down last.
    const newer = mine.find(
      (event) => own !== undefined && isAfter(event, own) && event.at < ending.at,
    )
    if (newer === undefined) return []
    return [
      {
        invariant: 'a fenced producer commits nothing',
        found: `${name} was committed after ${newer.process} got ${began.transactionalId}`,
        events: [newer, ...eventsIn(transaction)],
      },
    ]
  })
}

/** Transactions that nobody ended were ended by the broker: readers get to the ends. */
function nothingIsLeftOpen(history: History): Violation[] {
  const last = new Map(
    eventsOf(history, 'ends').map((event) => [`${event.topic}-${event.partition}`, event]),
  )
  return [...last].flatMap(([place, event]) =>
    event.stable === event.high
      ? []
      : [
          {
            invariant: 'a transaction that was left open is aborted in time',
            found: `${place} is stable up to ${event.stable} and ends at ${event.high}`,
            events: [event],
          },
        ],
  )
}
