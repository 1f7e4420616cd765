/**
 * `npm run check:groups`: three consumer groups, one for each way to rebalance, read a topic that
 * is written to, while their members and the broker are killed and stopped; then their history is
 * checked (`group-invariants.ts`).
 *
 *   npm run check:groups [-- --seed N --minutes M --target samsa|kafka --keep]
 */
import { createTopics } from '../test/interop/harness/wire.ts'
import type { Deed } from './fault-plan.ts'
import { checkGroups } from './group-invariants.ts'
import { eventsOf, type HistoryEvent } from './history.ts'
import type { Options } from './options.ts'
import type { Part, Players } from './players.ts'
import { type Check, describeFaults, mustHaveHappened, runCheck } from './run.ts'
import { eventually, SESSION_MS, type Stage, untilAnswered } from './stage.ts'

const TOPIC = 'orders'
const PARTITIONS = 8
const MEMBERS = 4
const GROUPS = [
  { name: 'group-eager', protocol: 'eager' },
  { name: 'group-cooperative', protocol: 'cooperative' },
  { name: 'group-consumer', protocol: 'consumer' },
] as const

const DEEDS: readonly Deed[] = ['kill', 'pause', 'pause', 'leave']
/** Who comes back under the same `group.instance.id` fences the one before. */
const STATIC_DEEDS: readonly Deed[] = ['kill', 'pause', 'supersede']
/** In the consumer protocol nobody is superseded who has not left or expired. */
const STATIC_CONSUMER_DEEDS: readonly Deed[] = ['kill', 'pause', 'leave']

function deedsOf(protocol: string, isStatic: boolean): readonly Deed[] {
  if (!isStatic) return DEEDS
  return protocol === 'consumer' ? STATIC_CONSUMER_DEEDS : STATIC_DEEDS
}

function parts(stage: Stage, { seed }: Options): Part[] {
  const common = { address: stage.address, seed, topic: TOPIC, partitions: PARTITIONS }
  const members = GROUPS.flatMap(({ name, protocol }) =>
    Array.from({ length: MEMBERS }, (_, index): Part => {
      const isStatic = index === 0
      const instance = isStatic ? `${protocol}-instance` : ''
      const more = { group: name, protocol, instance, sessionMs: SESSION_MS }
      return {
        name: `${protocol}-${index + 1}`,
        command: 'member',
        deeds: deedsOf(protocol, isStatic),
        request: { ...common, ...more },
      }
    }),
  )
  const producers = [1, 2].map(
    (number): Part => ({
      name: `producer-${number}`,
      command: 'produce',
      deeds: ['kill', 'pause'],
      request: { ...common, perSecond: 60 },
    }),
  )
  return [...producers, ...members]
}

const observeAll = (stage: Stage): Promise<(number[] | undefined)[]> =>
  Promise.all(GROUPS.map(({ name }) => stage.observe(name, TOPIC, PARTITIONS)))

async function settle(stage: Stage, players: Players): Promise<number[]> {
  await players.dismiss('producer')
  const ends = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, index) => stage.endOffset(TOPIC, index, false)),
  )
  await eventually(60_000, async () => {
    const observed = await observeAll(stage)
    return observed.every((offsets) => offsets?.every((at, index) => at === ends[index]))
  })
  await players.dismiss('')
  // What is committed must also be there for a broker that reads it back from its log.
  await stage.stopBroker()
  await stage.startBroker()
  await untilAnswered(() => observeAll(stage))
  return ends
}

function summarize(history: readonly HistoryEvent[]): string {
  const lines = GROUPS.map(({ name }) => {
    const own = history.filter((event) => 'group' in event && event.group === name)
    const answers = eventsOf(own, 'committed').flatMap(({ codes }) => Object.values(codes ?? {}))
    const accepted = answers.filter((code) => code === 0).length
    const generations = new Set(eventsOf(own, 'assigned').map(({ generation }) => generation))
    const processed = eventsOf(own, 'processed').reduce((sum, { ids }) => sum + ids.length, 0)
    mustHaveHappened(`accepted commit of ${name}`, accepted)
    mustHaveHappened(`rebalance of ${name}`, generations.size - 1)
    return (
      `${name}: ${generations.size} generations, ${processed} records processed, ` +
      `${accepted} commits accepted, ${answers.length - accepted} refused`
    )
  })
  const records = eventsOf(history, 'produced').length
  mustHaveHappened('record', records)
  return [...lines, `${records} records; ${describeFaults(history)}`].join('\n')
}

function groupsCheck(): Check {
  let ends: number[] = []
  return {
    name: 'check:groups',
    parts,
    prepare: (stage) => createTopics(stage.port, [{ name: TOPIC, partitions: PARTITIONS }]),
    async observe(stage) {
      await observeAll(stage)
    },
    async settle(stage, players) {
      ends = await settle(stage, players)
    },
    judge: (history) => checkGroups(history, { groups: GROUPS, ends }),
    summarize,
  }
}

await runCheck(groupsCheck(), process.argv.slice(2))
