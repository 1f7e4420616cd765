/** Runs the client programs that `contract.ts` describes, to their end or as members of a group. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, run, signalGroup, startChild } from './children.ts'
import type { ClientEvent, ClientProgram } from './contract.ts'
import type { Workspace } from './workspace.ts'

type Command = 'produce' | 'consume' | 'read' | 'member' | 'transact' | 'fence' | 'admin' | 'share'

let calls = 0

interface Call {
  args: string[]
  outputPath: string
  errorPath: string
}

/** Writes the request; it, the answer and the errors stay in the workspace for a look. */
function prepare(
  workspace: Workspace,
  client: ClientProgram,
  command: Command,
  request: object,
): Call {
  calls += 1
  const name = `${String(calls).padStart(3, '0')}-${client.name}-${command}`
  const requestPath = workspace.path(`${name}.request.json`)
  writeFileSync(requestPath, JSON.stringify(request))
  return {
    args: [...client.command.slice(1), command, requestPath],
    outputPath: workspace.path(`${name}.jsonl`),
    errorPath: workspace.path(`${name}.stderr`),
  }
}

/** Whole lines only: a program that was killed may leave half a one. */
function parse(text: string): ClientEvent[] {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ClientEvent)
}

/** Runs a command to its end, which must be a good one, and returns what it printed. */
export async function ask<Event extends ClientEvent>(
  workspace: Workspace,
  client: ClientProgram,
  command: Command,
  request: object,
): Promise<Event[]> {
  const { args, outputPath, errorPath } = prepare(workspace, client, command, request)
  await run(client.command[0], args, { outputPath, errorPath, timeoutMs: 90_000 })
  return parse(readFileSync(outputPath, 'utf8')) as Event[]
}

/** A program that runs until it is told to stop. */
export class LivingClient {
  readonly name: string
  /** When it was killed, in milliseconds since 1970. */
  killedAt: number | undefined
  readonly #child: Child
  readonly #call: Call

  constructor(
    workspace: Workspace,
    client: ClientProgram,
    command: 'member' | 'share',
    request: object,
    name: string,
  ) {
    this.name = name
    this.#call = prepare(workspace, client, command, request)
    const { args, outputPath, errorPath } = this.#call
    this.#child = startChild(client.command[0], args, { outputPath, errorPath })
    workspace.onEnd(() => signalGroup(this.#child.pid, 'SIGKILL'))
  }

  /** What it has printed so far. */
  events(): ClientEvent[] {
    return parse(readFileSync(this.#call.outputPath, 'utf8'))
  }

  /** Throws, with its own words, if it has ended though nobody told it to. */
  assertAlive(): void {
    if (this.killedAt !== undefined || this.#child.exited === undefined) return
    this.#failed('ended by itself')
  }

  /** SIGTERM, and waits for an end in good order. */
  async leave(): Promise<void> {
    signalGroup(this.#child.pid, 'SIGTERM')
    const limit = setTimeout(() => signalGroup(this.#child.pid, 'SIGKILL'), 30_000)
    const { code } = await this.#child.exit
    clearTimeout(limit)
    if (code !== 0) this.#failed('did not leave in good order')
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.killedAt = Date.now()
    signalGroup(this.#child.pid, 'SIGKILL')
    await this.#child.exit
  }

  #failed(what: string): never {
    const { code, signal } = this.#child.exited ?? {}
    const said = readFileSync(this.#call.errorPath, 'utf8').slice(-2000)
    assert.fail(`${this.name} ${what} (${code ?? signal}): ${said}`)
  }
}

/** Waits until a condition holds, while all of the clients live; says what it waited for. */
export async function until(
  what: string,
  clients: readonly LivingClient[],
  holds: () => boolean | Promise<boolean>,
  detail: () => string = () => '',
): Promise<void> {
  const limit = Date.now() + 60_000
  while (!(await holds())) {
    for (const client of clients) client.assertAlive()
    if (Date.now() > limit) assert.fail(`waited 60 s for: ${what}. ${detail()}`)
    await sleep(25)
  }
}
