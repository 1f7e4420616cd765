/**
 * Runs the broker's room for many seeds:
 *
 *   node sim/run.ts [--seeds 1000] [--from 1] [--trace]
 *
 * A seed that fails is printed with what went wrong and the command that replays it; `--trace`
 * prints everything that happened in it. Ends with exit code 1 if any seed has failed.
 */
import { runBrokerRoom } from './broker-room.ts'

/** More failures than this tell nothing new. */
const MAX_FAILURES = 10
const PROGRESS_EVERY = 1000

interface Arguments {
  readonly seeds: number
  readonly from: number
  readonly trace: boolean
}

function parseArguments(args: readonly string[]): Arguments {
  const numberAfter = (name: string, otherwise: number) => {
    const at = args.indexOf(name)
    if (at === -1) return otherwise
    const value = Number(args[at + 1])
    if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} needs a whole number`)
    return value
  }
  return {
    seeds: numberAfter('--seeds', 1000),
    from: numberAfter('--from', 1),
    trace: args.includes('--trace'),
  }
}

async function main(): Promise<void> {
  const { seeds, from, trace } = parseArguments(process.argv.slice(2))
  const options = trace ? { trace: (line: string) => console.log(line) } : {}
  let failures = 0
  // A promise that the broker forgot fails the seed that is being run.
  let stray: unknown
  process.on('unhandledRejection', (error) => {
    stray ??= error
  })
  for (let seed = from; seed < from + seeds && failures < MAX_FAILURES; seed++) {
    try {
      const result = await runBrokerRoom({ seed, ...options })
      if (stray !== undefined) throw stray
      if (trace) console.log(result)
    } catch (error) {
      failures += 1
      const what = error instanceof Error ? error.stack : String(error)
      console.log(`seed ${seed} failed: ${what}`)
      console.log(`replay it with: node sim/run.ts --from ${seed} --seeds 1 --trace\n`)
    }
    stray = undefined
    const done = seed - from + 1
    if (done % PROGRESS_EVERY === 0) console.log(`${done} seeds, ${failures} failed`)
  }
  console.log(failures === 0 ? `${seeds} seeds from ${from}: all well` : `${failures} seeds failed`)
  process.exitCode = failures === 0 ? 0 : 1
}

await main()
