/** Members of consumer groups as processes of their own, and what their lines say about a group. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker } from './broker.ts'
import { type Child, signalGroup, startChild } from './children.ts'
import { clientArguments } from './java-checks.ts'
import type { JavaClient } from './paths.ts'
import type { Workspace } from './workspace.ts'

/** A line that a member has printed. */
export interface MemberEvent {
  member: string
  /** One monotonic clock for all processes. */
  atNanos: bigint
  event: string
  numbers: number[]
}

/** A Java program that runs until its standard input ends. */
export interface JavaProcess {
  readonly name: string
  /** What it has printed so far. */
  output(): string
  /** Ends it in good order and waits for that. */
  end(): Promise<void>
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>
}

/** Starts one of the programs in `java/clients`. */
export function startJava(
  workspace: Workspace,
  client: JavaClient,
  name: string,
  program: string,
  args: string[],
): JavaProcess {
  const outputPath = workspace.path(`${name}.out`)
  const errorPath = workspace.path(`${name}.log`)
  const child: Child = startChild('java', clientArguments(client, program, args), {
    pipeInput: true,
    outputPath,
    errorPath,
  })
  workspace.onEnd(() => signalGroup(child.pid, 'SIGKILL'))
  const failed = (): Error =>
    new Error(`${name} ended early:\n${readFileSync(errorPath, 'utf8').slice(-3000)}`)
  return {
    name,
    output() {
      if (child.exited !== undefined && child.exited.code !== 0 && !child.process.killed) {
        throw failed()
      }
      return readFileSync(outputPath, 'utf8')
    },
    async end() {
      child.process.stdin?.end('enough\n')
      const { code } = await child.exit
      if (code !== 0) throw failed()
    },
    async kill() {
      child.process.kill('SIGKILL')
      await child.exit
    },
  }
}

/** Starts a member of each of some groups, which are given as `id,key=value,...`. */
export function startMember(
  workspace: Workspace,
  client: JavaClient,
  name: string,
  broker: Broker,
  topic: string,
  groups: string[],
): JavaProcess {
  return startJava(workspace, client, name, 'GroupMember', [broker.address, topic, ...groups])
}

/** What members have said of one group, in the order of time. */
export function eventsOf(group: string, members: JavaProcess[]): MemberEvent[] {
  const events: MemberEvent[] = []
  for (const member of members) {
    // A line that is being written has no end yet.
    for (const line of member.output().split('\n').slice(0, -1)) {
      const [atNanos = '', id, event = '', ...numbers] = line.split(' ')
      if (id !== group) continue
      const parsed = { atNanos: BigInt(atNanos), event, numbers: numbers.map(Number) }
      events.push({ member: member.name, ...parsed })
    }
  }
  return events.sort((a, b) => Number(a.atNanos - b.atNanos))
}

/** What each member of a group owns after some events. */
export function ownership(events: MemberEvent[]): Map<string, Set<number>> {
  const owned = new Map<string, Set<number>>()
  for (const { member, event, numbers } of events) {
    if (event === 'assigned') owned.set(member, new Set(numbers))
    if (event === 'revoked' || event === 'lost') {
      for (const partition of numbers) owned.get(member)?.delete(partition)
    }
  }
  return owned
}

/** Waits until a condition holds; `what` says what for if it never does. */
export async function until(what: string, holds: () => boolean, limitMs = 60_000): Promise<void> {
  const limit = Date.now() + limitMs
  while (!holds()) {
    if (Date.now() > limit) throw new Error(`waited ${limitMs / 1000} s until ${what}`)
    await sleep(20)
  }
}
