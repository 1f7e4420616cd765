/**
 * `npm run check:transactions`: producers write transactions over several partitions, and a group
 * of members turns each record of one topic into a record of another, offsets and output in one
 * transaction, while they and the broker are killed and stopped; then their history is checked
 * (`transaction-invariants.ts`).
 *
 *   npm run check:transactions [-- --seed N --minutes M --target samsa|kafka --keep]
 */
import { createTopics } from '../test/interop/harness/wire.ts'
import type { Deed } from './fault-plan.ts'
import { eventsOf, type HistoryEvent, type Isolation } from './history.ts'
import type { Options } from './options.ts'
import type { Part, Players } from './players.ts'
import { type Check, describeFaults, mustHaveHappened, runCheck } from './run.ts'
import { eventually, SESSION_MS, type Stage, untilAnswered } from './stage.ts'
import { checkTransactions, countFates } from './transaction-invariants.ts'

const INPUT = 'orders'
const LEDGER = 'ledger'
const PIPELINES = [
  { group: 'billing-classic', output: 'bills-classic', protocol: 'cooperative', isOld: true },
  { group: 'billing-consumer', output: 'bills-consumer', protocol: 'consumer', isOld: false },
] as const
const OUTPUTS = [LEDGER, ...PIPELINES.map(({ output }) => output)]
const PARTITIONS = 4
const MEMBERS = 3
const TRANSACTION_TIMEOUT_MS = 4_000

/** What happens to whoever has a transactional id: a successor of the same name fences it. */
const DEEDS: readonly Deed[] = ['kill', 'pause', 'supersede', 'supersede']

function parts(stage: Stage, { seed }: Options): Part[] {
  const common = { address: stage.address, seed, partitions: PARTITIONS }
  const transactional = (name: string, more: Record<string, unknown>): Record<string, unknown> => ({
    ...common,
    transactionalId: name,
    transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
    ...more,
  })
  const ledgers = [1, 2, 3].map((number): Part => {
    const name = `ledger-${number}`
    return {
      name,
      command: 'ledger',
      deeds: DEEDS,
      request: transactional(name, { topic: LEDGER }),
    }
  })
  const billings = PIPELINES.flatMap(({ group, output, protocol, isOld }) =>
    Array.from({ length: MEMBERS }, (_, index): Part => {
      const name = `${group}-${index + 1}`
      const more = { topic: INPUT, output, group, protocol, isOld, sessionMs: SESSION_MS }
      return { name, command: 'billing', deeds: DEEDS, request: transactional(name, more) }
    }),
  )
  const reader = { topics: OUTPUTS, isolation: 'read_committed' }
  return [
    {
      name: 'producer',
      command: 'produce',
      deeds: ['kill', 'pause'],
      request: { ...common, topic: INPUT, perSecond: 80 },
    },
    ...ledgers,
    ...billings,
    {
      name: 'reader',
      command: 'read',
      deeds: ['kill', 'pause'],
      request: { ...common, ...reader },
    },
  ]
}

const PARTITION_NUMBERS = Array.from({ length: PARTITIONS }, (_, index) => index)

const endsOf = (stage: Stage, topic: string, committedOnly: boolean): Promise<number[]> =>
  Promise.all(PARTITION_NUMBERS.map((index) => stage.endOffset(topic, index, committedOnly)))

const observeAll = (stage: Stage): Promise<(number[] | undefined)[]> =>
  Promise.all(PIPELINES.map(({ group }) => stage.observe(group, INPUT, PARTITIONS)))

/** Notes where the topics end; true if nothing is open any more. */
async function noteEnds(stage: Stage): Promise<boolean> {
  let isClosed = true
  for (const topic of OUTPUTS) {
    const [stable, high] = [await endsOf(stage, topic, true), await endsOf(stage, topic, false)]
    for (const partition of PARTITION_NUMBERS) {
      const [one, other] = [stable[partition], high[partition]]
      stage.note({ event: 'ends', topic, partition, stable: one, high: other })
      if (one !== other) isClosed = false
    }
  }
  return isClosed
}

/** Reads all topics to their ends, once per isolation level. */
async function readAll(stage: Stage, players: Players): Promise<void> {
  for (const isolation of ['read_committed', 'read_uncommitted']) {
    const until: Record<string, number[]> = {}
    for (const topic of OUTPUTS) {
      until[topic] = await endsOf(stage, topic, isolation === 'read_committed')
    }
    const request = { address: stage.address, partitions: PARTITIONS, topics: OUTPUTS }
    await players.playOnce({
      name: `last-reader-${isolation}`,
      command: 'read',
      deeds: [],
      request: { ...request, isolation, until },
    })
  }
}

async function settle(stage: Stage, players: Players): Promise<number[]> {
  await players.dismiss('producer')
  const ends = await endsOf(stage, INPUT, false)
  await eventually(60_000, async () => {
    const observed = await observeAll(stage)
    return observed.every((offsets) => offsets?.every((at, index) => at === ends[index]))
  })
  // Killed, not stopped in order: what they have open is the broker's to end.
  await players.end()
  await eventually(20_000, () => noteEnds(stage))
  await stage.stopBroker()
  await stage.startBroker()
  await eventually(30_000, () => noteEnds(stage))
  await untilAnswered(() => observeAll(stage))
  await readAll(stage, players)
  return ends
}

function summarize(history: readonly HistoryEvent[]): string {
  const fates = countFates(history)
  for (const [fate, count] of Object.entries(fates)) {
    if (fate !== 'unknown') mustHaveHappened(`${fate} transaction`, count)
  }
  const reads = eventsOf(history, 'read')
  const last = (isolation: Isolation): number =>
    reads
      .filter(({ process }) => process.startsWith(`last-reader-${isolation}#`))
      .reduce((sum, { records }) => sum + records.length, 0)
  const [committed, all] = [last('read_committed'), last('read_uncommitted')]
  mustHaveHappened('aborted record in the log', all - committed)
  mustHaveHappened('look at the ends', eventsOf(history, 'ends').length)
  const records = eventsOf(history, 'produced').length
  mustHaveHappened('input record', records)
  return [
    `transactions: ${fates.committed} committed, ${fates.aborted} aborted, ` +
      `${fates.unknown} of unknown outcome`,
    `${records} input records; in the output ${all} records, of which ${committed} are committed`,
    describeFaults(history),
  ].join('\n')
}

function transactionsCheck(): Check {
  let ends: number[] = []
  return {
    name: 'check:transactions',
    parts,
    prepare: (stage) =>
      createTopics(
        stage.port,
        [INPUT, ...OUTPUTS].map((name) => ({ name, partitions: PARTITIONS })),
      ),
    async observe(stage) {
      await observeAll(stage)
    },
    async settle(stage, players) {
      ends = await settle(stage, players)
    },
    judge: (history) =>
      checkTransactions(history, { input: INPUT, ends, pipelines: PIPELINES, outputs: OUTPUTS }),
    summarize,
  }
}

await runCheck(transactionsCheck(), process.argv.slice(2))
