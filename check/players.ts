/**
 * The client processes of a run. Each role is played by one process at a time, its incarnations
 * counted; one that ends by itself is replaced, as a supervisor would. Faults are dealt out here.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, signalGroup, startChild } from '../test/interop/harness/children.ts'
import type { Deed, Role } from './fault-plan.ts'

export interface Part extends Role {
  command: string
  /** The worker's request, without what this file adds. */
  request: Record<string, unknown>
}

interface Player {
  part: Part
  incarnation: number
  child: Child | undefined
  /** A fault is under way; further ones are passed over. */
  busy: boolean
}

const RESTART_MS = 700

export class Players {
  readonly #program: string
  readonly #folder: string
  readonly #players = new Map<string, Player>()
  readonly #superseded = new Set<Child>()
  #ending = false

  /** `folder` has `history` and `logs` in it. */
  constructor(program: string, folder: string) {
    this.#program = program
    this.#folder = folder
  }

  start(part: Part): void {
    const player: Player = { part, incarnation: 0, child: undefined, busy: false }
    this.#players.set(part.name, player)
    this.#spawn(player)
  }

  /** Starts a player that has an end of its own, and waits for it. */
  async playOnce(part: Part, limitMs = 60_000): Promise<void> {
    const { child } = this.#spawn({ part, incarnation: 0, child: undefined, busy: true })
    const limit = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), limitMs)
    const { code, signal } = await child.exit
    clearTimeout(limit)
    if (code !== 0) throw new Error(`${part.name} ended with ${code ?? signal}`)
  }

  /** Does a deed; returns when it is over, false if the player was not there to suffer it. */
  async suffer(name: string, deed: Deed, forMs: number): Promise<boolean> {
    const player = this.#players.get(name)
    const child = player?.child
    if (player === undefined || child === undefined || player.busy) return false
    player.busy = true
    try {
      if (deed === 'pause') {
        signalGroup(child.pid, 'SIGSTOP')
        await sleep(forMs)
        signalGroup(child.pid, 'SIGCONT')
      } else if (deed === 'supersede') {
        signalGroup(child.pid, 'SIGSTOP')
        this.#superseded.add(child)
        this.#spawn(player)
        await sleep(forMs)
        signalGroup(child.pid, 'SIGCONT')
      } else {
        signalGroup(child.pid, deed === 'kill' ? 'SIGKILL' : 'SIGTERM')
        await child.exit
        await sleep(forMs)
        this.#spawn(player)
      }
    } finally {
      player.busy = false
    }
    return true
  }

  /** SIGKILL to those that others have taken the place of. */
  async dismissSuperseded(): Promise<void> {
    for (const child of this.#superseded) {
      signalGroup(child.pid, 'SIGKILL')
      await child.exit
    }
  }

  /** SIGTERM to the players whose names begin so, and waits until they have ended. */
  async dismiss(prefix: string, limitMs = 40_000): Promise<void> {
    const leaving = [...this.#players.values()].filter(({ part }) => part.name.startsWith(prefix))
    for (const player of leaving) {
      this.#players.delete(player.part.name)
      if (player.child !== undefined) signalGroup(player.child.pid, 'SIGTERM')
    }
    const ends = Promise.all(leaving.map(({ child }) => child?.exit))
    const late = await Promise.race([ends.then(() => false), sleep(limitMs, true, { ref: false })])
    if (!late) return
    for (const { child } of leaving) if (child !== undefined) signalGroup(child.pid, 'SIGKILL')
    const names = leaving.filter(({ child }) => child?.exited === undefined)
    throw new Error(`not ended in order: ${names.map(({ part }) => part.name).join(', ')}`)
  }

  /** Ends all at once. */
  async end(): Promise<void> {
    this.#ending = true
    await this.dismissSuperseded()
    for (const { child } of this.#players.values()) {
      if (child === undefined) continue
      signalGroup(child.pid, 'SIGKILL')
      await child.exit
    }
    this.#players.clear()
  }

  #spawn(player: Player): { child: Child } {
    player.incarnation += 1
    const { name, command, request } = player.part
    const process = `${name}#${player.incarnation}`
    const path = join(this.#folder, 'requests', `${process}.json`)
    const history = join(this.#folder, 'history', `${process}.jsonl`)
    writeFileSync(path, JSON.stringify({ ...request, process, history }))
    const child = startChild(this.#program, [command, path], {
      errorPath: join(this.#folder, 'logs', `${process}.log`),
      environment: { GOMAXPROCS: '2' },
    })
    player.child = child
    void child.exit.then(() => this.#replace(player, child))
    return { child }
  }

  /** One that ended by itself is replaced; whom a fault has ended, the fault replaces. */
  async #replace(player: Player, child: Child): Promise<void> {
    if (player.child !== child) return
    player.child = undefined
    if (player.busy) return
    await sleep(RESTART_MS)
    const isCurrent = this.#players.get(player.part.name) === player
    if (isCurrent && player.child === undefined && !player.busy && !this.#ending) {
      this.#spawn(player)
    }
  }
}
