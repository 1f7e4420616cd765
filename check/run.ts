/** What both checks do around their own part: set the stage, let things go wrong, judge, report. */
import { setTimeout as sleep } from 'node:timers/promises'
import { BROKER, describePlan, type Fault, planFaults, type Role } from './fault-plan.ts'
import { type HistoryEvent, readHistory, type Violation } from './history.ts'
import { type Options, readOptions } from './options.ts'
import { type Part, Players } from './players.ts'
import { describeViolations } from './report.ts'
import { buildWorker, Stage } from './stage.ts'

export interface Check {
  /** The npm script, to print how a run is had again. */
  name: string
  parts(stage: Stage, options: Options): Part[]
  /** Creates what the parts need. */
  prepare(stage: Stage): Promise<void>
  /** One look from outside; made again and again while things go wrong. */
  observe(stage: Stage): Promise<void>
  /** After the faults: lets the rest be done, ends the players, notes what is left. */
  settle(stage: Stage, players: Players): Promise<void>
  judge(history: readonly HistoryEvent[]): Violation[]
  /** Lines on what the run has gone through; throws if it was too little to show anything. */
  summarize(history: readonly HistoryEvent[]): string
}

/** Runs a check as a program; the exit code says whether everything held. */
export async function runCheck(check: Check, args: string[]): Promise<void> {
  const options = readOptions(args)
  const again = `--seed ${options.seed} --minutes ${options.minutes} --target ${options.target}`
  console.log(`${check.name}: seed ${options.seed}, ${options.minutes} min, ${options.target}`)
  const program = await buildWorker()
  const stage = await Stage.set(options)
  const players = new Players(program, stage.folder)
  let isGood = false
  try {
    await check.prepare(stage)
    await perform(check, stage, players, options)
    await check.settle(stage, players)
    const history = readHistory(`${stage.folder}/history`)
    const violations = check.judge(history)
    if (violations.length > 0) console.log(describeViolations(violations, history))
    console.log(check.summarize(history))
    isGood = violations.length === 0
  } finally {
    await players.end()
    await stage.clear(isGood && !options.keep)
    if (!isGood || options.keep) console.log(`histories and logs: ${stage.folder}`)
    if (!isGood) console.log(`again: npm run ${check.name} -- ${again}`)
  }
  console.log(isGood ? 'everything held' : 'something did not hold')
  process.exitCode = isGood ? 0 : 1
}

/** Starts the parts and deals out the planned faults, each at its time. */
async function perform(
  check: Check,
  stage: Stage,
  players: Players,
  options: Options,
): Promise<void> {
  const parts = check.parts(stage, options)
  const roles: Role[] = parts.filter(({ deeds }) => deeds.length > 0)
  const lengthMs = options.minutes * 60_000
  const faults = planFaults(options.seed, lengthMs, roles)
  console.log(describePlan(faults))
  for (const part of parts) players.start(part)
  const watching = watch(check, stage, lengthMs)
  await Promise.all(faults.map((fault) => carryOut(fault, stage, players)))
  await watching
  // All paused ones have been woken, all killed ones replaced.
  await players.dismissSuperseded()
}

async function carryOut(fault: Fault, stage: Stage, players: Players): Promise<void> {
  await sleep(fault.atMs)
  const { deed, who, forMs } = fault
  stage.note({ event: 'fault', deed, who, forMs })
  const isDone =
    who === BROKER && (deed === 'kill' || deed === 'pause')
      ? await stage.strikeBroker(deed, forMs)
      : await players.suffer(who, deed, forMs)
  stage.note({ event: 'fault', deed, who, isDone, isOver: true })
}

async function watch(check: Check, stage: Stage, lengthMs: number): Promise<void> {
  const end = performance.now() + lengthMs
  while (performance.now() < end) {
    await check.observe(stage)
    await sleep(400)
  }
}

/** Faults that were really dealt out, by who and what, as a line. */
export function describeFaults(history: readonly HistoryEvent[]): string {
  const done = history.filter((event) => event.event === 'fault' && event.isDone === true)
  const kinds = Map.groupBy(done, (event) => {
    const { who, deed } = event as { who?: unknown; deed?: unknown }
    return `${who === BROKER ? 'broker' : 'client'} ${deed}`
  })
  return [...kinds].map(([kind, all]) => `${kind} ${all.length}`).join(', ')
}

/** A run that did not do what it is about proves nothing, and must not pass. */
export function mustHaveHappened(what: string, count: number): void {
  if (count === 0) throw new Error(`the run shows nothing: there was no ${what}`)
}
