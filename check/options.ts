/** The flags that both checks take. */
import { parseArgs } from 'node:util'

export interface Options {
  /** Decides who is killed or stopped, when, and for how long. */
  seed: number
  /** How long things go wrong; starting, settling and checking come on top. */
  minutes: number
  target: 'samsa' | 'kafka'
  /** Keeps the folder of a run that found nothing, too. */
  keep: boolean
}

/** Reads `--seed N --minutes M --target samsa|kafka --keep`; throws on what it does not know. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 2 ** 31)) },
      minutes: { type: 'string', default: '0.75' },
      target: { type: 'string', default: 'samsa' },
      keep: { type: 'boolean', default: false },
    },
  })
  const { target, keep } = values
  if (target !== 'samsa' && target !== 'kafka') {
    throw new Error(`--target ${target}: it is either samsa or kafka`)
  }
  return {
    seed: number('seed', values.seed),
    minutes: number('minutes', values.minutes),
    target,
    keep,
  }
}

function number(flag: string, text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0)
    throw new Error(`--${flag} ${text} is no number above 0`)
  return value
}
