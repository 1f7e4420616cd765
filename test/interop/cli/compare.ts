/**
 * Runs the same commands with Apache Kafka's tools and with ours, against the same broker, and
 * compares what they print and how they end, line by line.
 *
 * A case is a row of commands. Each side runs all of them, from a state of its own that is the same
 * for both: `{id}` in a command is a name that only this side uses, and is put back into what was
 * printed. What must differ (times, generated ids) is masked, by masks for all cases and by those
 * that a case has.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { diff } from 'node:util'
import { Producer } from '../../../src/clients/index.ts'
import type { Tool } from '../../../src/tools/support/tool.ts'
import { runTool } from '../../tools/support/run-tool.ts'
import type { Broker } from '../harness/broker.ts'
import type { ToolBox, ToolName } from '../harness/toolbox.ts'
import type { Workspace } from '../harness/workspace.ts'

/** Replaces what matches, before the outputs are compared. */
export type Mask = readonly [pattern: RegExp, replacement: string]

export interface Command {
  readonly tool: ToolName
  /** With placeholders: see `Side.fill`. */
  readonly args: readonly string[]
  /** What is on standard input. */
  readonly input?: string
}

export interface CliCase {
  readonly name: string
  readonly commands: readonly Command[]
  /** Files that commands are given as `{file:name}`; placeholders in them are filled, too. */
  readonly files?: Readonly<Record<string, string>>
  /** Brings about the state that the commands run in, once for each side. */
  readonly before?: (side: Side) => Promise<void> | void
  readonly after?: (side: Side) => Promise<void> | void
  readonly masks?: readonly Mask[]
  /** Whether the order of lines is left to chance, as where a tool prints a hash table. */
  readonly unordered?: boolean
  /**
   * Whether both sides may run at once: neither the commands nor what they print have to do with
   * more than what belongs to their side.
   */
  readonly independent?: boolean
  /** Runs on one kind of broker only: what is compared is not there on the other. */
  readonly only?: 'samsa' | 'kafka'
}

/** Our tools, by the names of Kafka's scripts. */
export type OurTools = Readonly<Partial<Record<ToolName, () => Promise<Tool>>>>

export interface Stage {
  readonly workspace: Workspace
  readonly broker: Broker
  readonly kafkaTools: ToolBox
  readonly ourTools: OurTools
}

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** One of the two that are compared, in one case. */
export class Side {
  readonly broker: Broker
  readonly name: 'kafka' | 'samsa'
  /** A name for topics, groups and so on; as long as the other side's. */
  readonly id: string
  readonly #stage: Stage
  readonly #case: CliCase

  constructor(stage: Stage, theCase: CliCase, name: 'kafka' | 'samsa', number: number) {
    this.#stage = stage
    this.#case = theCase
    this.broker = stage.broker
    this.name = name
    this.id = `${name}-${String(number).padStart(3, '0')}`
    for (const [file, text] of Object.entries(theCase.files ?? {})) {
      writeFileSync(this.file(file), this.fill(text))
    }
  }

  /** Where processes that a case starts keep their files; they end with it. */
  get workspace(): Workspace {
    return this.#stage.workspace
  }

  /** The path of a file of this side. */
  file(name: string): string {
    return this.#stage.workspace.path(`${this.id}-${name}`)
  }

  /** Replaces `{id}`, `{server}` (host:port), `{data}` (the broker's folder) and `{file:name}`. */
  fill(text: string): string {
    return text
      .replaceAll('{id}', this.id)
      .replaceAll('{server}', this.broker.address)
      .replaceAll('{data}', this.broker.dataFolder)
      .replace(/\{file:([^}]+)\}/g, (_, name: string) => this.file(name))
  }

  /** Writes records, the first at the epoch's first millisecond, the next at its second… */
  async produce(topic: string, partition: number, values: readonly string[]): Promise<void> {
    await using producer = new Producer({ bootstrapServers: this.broker.address })
    for (const [index, value] of values.entries()) {
      await producer.send({ topic, partition, value, timestamp: index })
    }
  }

  /** Runs a tool of this side. */
  async run(command: Command): Promise<Ended> {
    const { tool, args, input } = command
    if (this.name === 'kafka') return this.runWithKafkas(command)
    const load = this.#stage.ourTools[tool]
    assert.ok(load !== undefined, `there is no ${tool} of ours`)
    const filled = args.map((arg) => this.fill(arg))
    const stdin = input === undefined ? {} : { stdin: this.fill(input) }
    return withinLimit(`${tool} ${filled.join(' ')}`, async (signal) =>
      runTool(await load(), filled, { signal, ...stdin }),
    )
  }

  /** Runs Kafka's tool whichever side this is, to bring about a state that both have. */
  runWithKafkas({ tool, args, input }: Command): Promise<Ended> {
    const path = this.file('stdin')
    writeFileSync(path, this.fill(input ?? ''))
    const filled = args.map((arg) => this.fill(arg))
    return this.#stage.kafkaTools.execute(tool, filled, path)
  }

  /** Runs the commands; returns what there is to compare. */
  async transcribe(): Promise<string> {
    await this.#case.before?.(this)
    try {
      const parts: string[] = []
      for (const command of this.#case.commands) {
        const { code, stdout, stderr } = await this.run(command)
        // What a command has done, Apache Kafka's broker hears of a moment later.
        const isChange = command.args.some((arg) => CHANGES.has(arg))
        if (this.broker.target === 'kafka' && isChange) await sleep(500)
        const said = [this.#mask(stdout), this.#mask(stderr)]
        const [output, errors] = this.#case.unordered ? said.map(sortLines) : said
        parts.push(`$ ${command.tool} ${command.args.join(' ')}\n${output}[errors]\n${errors}`)
        parts.push(`[exit ${code}]\n`)
      }
      return parts.join('')
    } finally {
      await this.#case.after?.(this)
    }
  }

  #mask(text: string): string {
    const named = helpAsNames(text)
      .replaceAll(this.#stage.workspace.path(`${this.id}-`), '{file}')
      .replaceAll(this.id, '{id}')
    const masks = [...MASKS, ...(this.#case.masks ?? [])]
    return masks.reduce((masked, [pattern, by]) => masked.replace(pattern, by), named)
  }
}

/** Options of commands that change something. */
const CHANGES = new Set(['--alter', '--create', '--delete', '--execute', '--delete-offsets'])

const LIMIT_MS = 60_000

/** A tool of ours must end as Kafka's must: what hangs is a failure of its case only. */
async function withinLimit<Result>(
  command: string,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const over = new AbortController()
  const limit = sleep(LIMIT_MS, undefined, { signal: over.signal }).then(() => {
    throw new Error(`no end: ${command}`)
  })
  // Whichever is later concerns nobody.
  limit.catch(() => {})
  try {
    return await Promise.race([run(over.signal), limit])
  } finally {
    over.abort()
  }
}

/** What differs between any two runs. */
const MASKS: readonly Mask[] = [
  [/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\]/gm, '[TIME]'],
  // Where Java code was when it threw, and what in Java it was that had thrown first.
  [/^\tat .*\n/gm, ''],
  [/^\t\.\.\. \d+ more\n/gm, ''],
  [/^Caused by: .*\n/gm, ''],
  [/^\t?Suppressed: .*\n/gm, ''],
  // Warnings, which Java's are told to keep to themselves, and what goes on within its clients.
  [/^\[TIME\] WARN .*\n/gm, ''],
  [/^\[TIME\] ERROR .* \(org\.apache\.kafka\.(clients|common)\.[\w.$]+\)\n/gm, ''],
  // Topic ids.
  [/\b(TopicId: )\S{22}/g, '$1ID'],
]

function sortLines(text: string): string {
  return text.split('\n').sort().join('\n')
}

/**
 * Descriptions of options are our own words: of the table of a tool's options, what is compared is
 * which options there are, and their arguments, wherever their lines are broken.
 */
function helpAsNames(text: string): string {
  const table = /^(Option(?: \(\* = required\))? +)Description *\n-+ +-+ *\n((?:[*\- \t].*\n|\n)*)/m
  return text.replace(table, (_whole, leftHeader: string, rows: string) => {
    const left = rows.split('\n').map((row) => row.slice(0, leftHeader.length).trimEnd())
    const names = left.join('\n').replace(/\n {2}(?! )/g, ' ')
    const options = names.split('\n').filter((name) => /^\*?\s*--/.test(name.trim()))
    return `${options.map((name) => `[option] ${name.replace(/\s+/g, '')}\n`).join('')}`
  })
}

/** Lets both sides run a case, and compares. */
export async function compareCase(stage: Stage, theCase: CliCase, number: number): Promise<void> {
  const transcribe = (name: Side['name']) => new Side(stage, theCase, name, number).transcribe()
  const [theirs, ours] = theCase.independent
    ? await Promise.all([transcribe('kafka'), transcribe('samsa')])
    : [await transcribe('kafka'), await transcribe('samsa')]
  const lines = diff(theirs.split('\n'), ours.split('\n'))
  const differing = lines.filter(([operation], index) => {
    return operation !== 0 || lines[index + 1]?.[0] || lines[index - 1]?.[0]
  })
  if (differing.length === 0) return
  const shown = differing.map(([operation, line]) => `${SIGNS[operation]} ${line}`)
  throw new Error(`- is Kafka's, + ours:\n${shown.join('\n')}`)
}

const SIGNS = { [-1]: '+', 0: ' ', 1: '-' } as const
