/**
 * What the Node client programs share: the request, and the lines they print. See
 * harness/contract.ts for the commands and what they print.
 */
import { readFileSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Prints at once, also when the process is killed right after. */
export function emit(event) {
  writeSync(1, `${JSON.stringify(event)}\n`)
}

const text = (bytes) => (bytes === null || bytes === undefined ? null : bytes.toString())

/** Prints a record; `headers` are pairs of a name and bytes. */
export function emitRecord(partition, offset, key, value, headers, timestamp) {
  emit({
    type: 'record',
    partition,
    offset: Number(offset),
    key: text(key),
    value: text(value),
    headers: headers.map(([name, bytes]) => [text(name), text(bytes)]),
    timestamp: Number(timestamp),
  })
}

export function emitOwns(partitions, generation) {
  const sorted = [...partitions].sort((a, b) => a - b)
  emit({ type: 'owns', partitions: sorted, at: Date.now(), generation })
}

/** Resolves on SIGTERM. */
export const stopped = () => new Promise((resolve) => process.once('SIGTERM', resolve))

/** Tells when a reader has seen the last offset of every partition. */
export class Progress {
  #last
  #missing
  #finish
  done = new Promise((resolve) => {
    this.#finish = resolve
  })

  constructor(last) {
    this.#last = last
    this.#missing = new Set(last.keys())
  }

  saw(partition, offset) {
    if (Number(offset) >= this.#last[partition]) this.#missing.delete(partition)
    if (this.#missing.size === 0) this.#finish()
  }
}

/** Does the steps of an admin request; `codeOf` gives the Kafka error code of an exception. */
export async function runSteps({ steps, pauseMs }, deeds, codeOf) {
  for (const step of steps) {
    let answer
    try {
      answer = await deeds[step.do](step)
    } catch (error) {
      const code = codeOf(error)
      if (code === undefined) throw error
      answer = { error: code }
    }
    emit({ type: 'answer', ...answer })
    await sleep(pauseMs)
  }
}

/** Runs the command that the process was called with. */
export async function main(commands) {
  const [command, path] = process.argv.slice(2)
  await commands[command](JSON.parse(readFileSync(path, 'utf8')))
}
