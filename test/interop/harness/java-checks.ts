/** Runs the Java programs that print the outcome of named checks, and makes a subtest of each. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { capture } from './children.ts'
import { clientClassPath, type JavaClient, logging } from './paths.ts'

interface Outcome {
  name: string
  /** Why it failed, with a stack trace. */
  problem?: string
}

/** Reads `ok NAME` and `failed NAME`, the latter with indented lines below. */
function parseOutcomes(output: string): Outcome[] {
  const outcomes: Outcome[] = []
  for (const line of output.trimEnd().split('\n')) {
    const last = outcomes.at(-1)
    if (line.startsWith('ok ')) outcomes.push({ name: line.slice(3) })
    else if (line.startsWith('failed ')) outcomes.push({ name: line.slice(7), problem: '' })
    else if (last !== undefined && line.startsWith('\t')) last.problem += `${line}\n`
    else throw new Error(`a line that is no outcome: ${line}`)
  }
  return outcomes
}

/** The command line of a program for one version of the Java client. */
export function clientArguments(client: JavaClient, program: string, args: string[]): string[] {
  const jvm = ['-Xmx512M', logging, '-Dlog.level=FATAL', '-cp', clientClassPath(client)]
  return [...jvm, program, ...args]
}

/** Runs a program of checks against a broker; each of its checks becomes a subtest of `t`. */
export async function runChecks(
  t: TestContext,
  client: JavaClient,
  program: string,
  args: string[],
): Promise<void> {
  const { code, output, errors } = await capture('java', clientArguments(client, program, args))
  assert.equal(code, 0, (errors + output).slice(-3000))
  for (const { name, problem } of parseOutcomes(output)) {
    await t.test(name, () => {
      if (problem !== undefined) throw new Error(problem)
    })
  }
}
