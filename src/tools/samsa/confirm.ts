/** Asks before what cannot be undone, if there is somebody to ask. */
import { createInterface } from 'node:readline/promises'
import type { ToolIo } from '../support/tool.ts'

/** Whether to go on: yes without asking where standard input is no terminal. */
export async function confirm({ stdin, stderr, signal }: ToolIo, question: string) {
  if (stdin.isTTY !== true) return true
  stderr.write(`${question} [y/N] `)
  const reader = createInterface({ input: stdin })
  try {
    const answer = await reader.question('', { signal })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    reader.close()
  }
}
