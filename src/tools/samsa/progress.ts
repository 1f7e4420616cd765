/**
 * A line on standard error that says how far long work has got: how much is done, at what rate,
 * and when it will end, where that can be known. Nothing is printed unless standard error is a
 * terminal.
 *
 *   [=========>          ] 45 %  1,204,113 records  340,120/s  ETA 0:12
 */
import type { ToolIo } from '../support/tool.ts'

const WIDTH = 20
const REDRAW_MS = 100
/** Work that ends sooner shows nothing. */
const SILENT_MS = 500

export interface ProgressOptions {
  readonly io: ToolIo
  /** What is counted: `records`. */
  readonly unit: string
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number
}

export class Progress {
  readonly #io: ToolIo
  readonly #unit: string
  readonly #now: () => number
  readonly #startMs: number
  readonly #isShown: boolean
  #drawnMs = 0
  #count = 0
  #isDrawn = false

  constructor({ io, unit, now = () => performance.now() }: ProgressOptions) {
    this.#io = io
    this.#unit = unit
    this.#now = now
    this.#startMs = now()
    this.#isShown = io.stderr.isTTY === true
  }

  /** `count` more are done; `fraction` (0 to 1) of all, where that is known. */
  add(count: number, fraction?: number): void {
    this.#count += count
    if (!this.#isShown) return
    const nowMs = this.#now()
    if (nowMs - this.#startMs < SILENT_MS || nowMs - this.#drawnMs < REDRAW_MS) return
    this.#drawnMs = nowMs
    this.#isDrawn = true
    const line = progressLine(this.#count, this.#unit, nowMs - this.#startMs, fraction)
    this.#io.stderr.write(`\r${line}\x1b[K`)
  }

  /** Takes the line away. */
  end(): void {
    if (this.#isDrawn) this.#io.stderr.write('\r\x1b[K')
    this.#isDrawn = false
  }
}

/** The line for `count` done in `elapsedMs`, which is `fraction` of all if that is known. */
export function progressLine(
  count: number,
  unit: string,
  elapsedMs: number,
  fraction: number | undefined,
): string {
  const rate = Math.round((count * 1000) / Math.max(elapsedMs, 1)).toLocaleString('en-US')
  const done = `${count.toLocaleString('en-US')} ${unit}  ${rate}/s`
  if (fraction === undefined) return done
  const share = Math.min(Math.max(fraction, 0), 1)
  const filled = Math.floor(share * WIDTH)
  const bar = filled === WIDTH ? '='.repeat(WIDTH) : `${'='.repeat(filled)}>`.padEnd(WIDTH)
  const eta = share === 0 ? '-' : clockTime((elapsedMs / share) * (1 - share))
  return `[${bar}] ${String(Math.floor(share * 100)).padStart(3)} %  ${done}  ETA ${eta}`
}

function clockTime(durationMs: number): string {
  const seconds = Math.ceil(durationMs / 1000)
  const two = (number: number) => String(number).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  if (hours > 0) return `${hours}:${two(minutes)}:${two(seconds % 60)}`
  return `${minutes}:${two(seconds % 60)}`
}
