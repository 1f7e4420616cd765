/**
 * Where a run takes place: a folder for histories, logs and data, the broker in it, and what is
 * asked of the broker from outside.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Broker, freePort, startBroker } from '../test/interop/harness/broker.ts'
import { paths } from '../test/interop/harness/paths.ts'
import { ask, BodyWriter } from '../test/interop/harness/wire.ts'
import { committedOffsets } from '../test/interop/harness/wire-groups.ts'
import type { Workspace } from '../test/interop/harness/workspace.ts'
import { digestOf, make } from '../test/interop/install-steps.ts'
import { appendEvent, monotonicMicros } from './history.ts'
import type { Options } from './options.ts'

/** The session timeout of all members: short, so that many sessions end within a run. */
export const SESSION_MS = 3_000

const CONFIGS: Record<string, string> = {
  'auto.create.topics.enable': 'false',
  'group.min.session.timeout.ms': '1000',
  'group.consumer.min.session.timeout.ms': '1000',
  'group.consumer.session.timeout.ms': String(SESSION_MS),
  'group.consumer.min.heartbeat.interval.ms': '100',
  'group.consumer.heartbeat.interval.ms': '500',
  // Few, so that a restart is over soon, and more than one, so that groups are spread.
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.num.partitions': '4',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
}

/** Compiles the clients; throws with what is missing. */
export async function buildWorker(): Promise<string> {
  const sources = join(import.meta.dirname, 'worker')
  const program = join(paths.cache, 'check-worker')
  mkdirSync(paths.cache, { recursive: true })
  const names = ['history', 'main', 'member', 'produce', 'read', 'transactions']
  const files = [...names.map((name) => `${name}.go`), 'go.mod', 'go.sum']
  const digest = digestOf(files.map((name) => join(sources, name)))
  const problem = await make('check-worker', digest, [
    ['go', ['build', '-o', program, '.'], sources],
  ])
  if (problem !== undefined) throw new Error(`the clients need Go 1.26 or later: ${problem}`)
  return program
}

export class Stage {
  readonly folder: string
  readonly port: number
  readonly #target: Options['target']
  readonly #workspace: Workspace
  #broker: Broker | undefined
  /** The broker is being killed, stopped or started. */
  #busy = false

  private constructor(target: Options['target'], port: number) {
    this.#target = target
    this.port = port
    this.folder = mkdtempSync(join(tmpdir(), 'samsa-check-'))
    const path = (...names: string[]): string => join(this.folder, ...names)
    const makeFolder = (...names: string[]): string => {
      mkdirSync(path(...names), { recursive: true })
      return path(...names)
    }
    for (const name of ['history', 'logs', 'requests']) makeFolder(name)
    // Children end with this process; there is nothing else to undo.
    this.#workspace = { folder: this.folder, path, makeFolder, onEnd: () => {} }
  }

  /** Makes the folder and starts the broker. */
  static async set(options: Options): Promise<Stage> {
    if (options.target === 'samsa' && !existsSync(paths.bundle)) {
      throw new Error(`${paths.bundle} is not there: npm run build makes it`)
    }
    const stage = new Stage(options.target, await freePort())
    await stage.startBroker()
    return stage
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Appends to the history of what was done and seen from outside. */
  note(event: Record<string, unknown>): void {
    appendEvent(join(this.folder, 'history', 'stage.jsonl'), { process: 'stage', ...event })
  }

  async startBroker(): Promise<void> {
    this.#broker = await startBroker(this.#workspace, {
      target: this.#target,
      port: this.port,
      dataFolder: this.#workspace.path('data'),
      configs: CONFIGS,
    })
    this.note({ event: 'broker', state: 'started' })
  }

  async stopBroker(): Promise<void> {
    await this.#broker?.stop()
    this.#broker = undefined
    this.note({ event: 'broker', state: 'stopped' })
  }

  /** Kills the broker, or stops it for a while; false if it is not there to suffer it. */
  async strikeBroker(deed: 'kill' | 'pause', forMs: number): Promise<boolean> {
    const broker = this.#broker
    if (broker === undefined || this.#busy) return false
    this.#busy = true
    try {
      if (deed === 'pause') {
        process.kill(broker.pid, 'SIGSTOP')
        await sleep(forMs)
        process.kill(broker.pid, 'SIGCONT')
      } else {
        await broker.kill()
        this.note({ event: 'broker', state: 'killed' })
        await sleep(forMs)
        await this.startBroker()
      }
    } finally {
      this.#busy = false
    }
    return true
  }

  /** Fetches the committed offsets of a group and notes them; undefined if there is no answer. */
  async observe(group: string, topic: string, partitions: number): Promise<number[] | undefined> {
    const from = monotonicMicros()
    const answer = await committedOffsets(this.port, group, topic, partitions).catch(
      () => undefined,
    )
    if (answer !== undefined) this.note({ event: 'observed', group, from, offsets: answer })
    return answer
  }

  /** The end of a partition as readers of that isolation see it: ListOffsets v2. */
  async endOffset(topic: string, partition: number, committedOnly: boolean): Promise<number> {
    const writer = new BodyWriter().int32(-1).int8(committedOnly ? 1 : 0)
    writer.array([topic], (name) => {
      writer.string(name)
      writer.array([partition], (index) => writer.int32(index).int64(-1))
    })
    const body = await ask(this.port, 2, 2, writer.bytes())
    body.int32()
    const [answer] = body
      .array(() => {
        body.string()
        return body.array(() => {
          body.int32()
          const error = body.int16()
          body.int64()
          return { error, offset: body.int64() }
        })
      })
      .flat()
    if (answer === undefined || answer.error !== 0) {
      throw new Error(`ListOffsets of ${topic}-${partition}: error ${answer?.error}`)
    }
    return answer.offset
  }

  /** Kills what is left; the folder goes if it is not needed any more. */
  async clear(isRemoved: boolean): Promise<void> {
    await this.#broker?.kill()
    if (isRemoved) rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Asks again and again until the answer is yes, or the time is over: false. */
export async function eventually(limitMs: number, isSo: () => Promise<boolean>): Promise<boolean> {
  const limit = performance.now() + limitMs
  for (;;) {
    if (await isSo().catch(() => false)) return true
    if (performance.now() > limit) return false
    await sleep(250)
  }
}

/** Looks until every group answers: the last look decides what is there after a restart. */
export async function untilAnswered(
  observe: () => Promise<(number[] | undefined)[]>,
): Promise<void> {
  const isAnswered = await eventually(30_000, async () =>
    (await observe()).every((offsets) => offsets !== undefined),
  )
  if (!isAnswered) throw new Error('no committed offsets in 30 s after a restart')
}
