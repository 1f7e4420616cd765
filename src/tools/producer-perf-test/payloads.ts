/** The values that kafka-producer-perf-test sends. */
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { ToolError } from '../support/tool.ts'

/** Gives the value of the n-th record. */
export type Payloads = (index: number) => Uint8Array

/** Random letters are made once, and each value is cut out of them at some place. */
const LETTERS_SIZE = 1 << 20
const LETTER_COUNT = 26
const LETTER_A = 65

export function randomLetters(size: number, random: () => number): Payloads {
  const letters = new Uint8Array(LETTERS_SIZE + size)
  for (let i = 0; i < letters.length; i++)
    letters[i] = LETTER_A + Math.floor(random() * LETTER_COUNT)
  return () => {
    const at = Math.floor(random() * LETTERS_SIZE)
    return letters.subarray(at, at + size)
  }
}

export const numbers: Payloads = (index) => Buffer.from(String(index))

/** Values from a file, in any order. `print` is told about it. Throws ToolError. */
export function valuesOfFile(
  path: string,
  delimiter: string,
  random: () => number,
  print: (line: string) => void,
): Payloads {
  print(`Reading payloads from: ${resolve(path)}`)
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) {
    throw new ToolError('File does not exist or empty file provided.', {
      className: 'java.lang.IllegalArgumentException',
    })
  }
  const texts = readFileSync(path, 'utf8').split(new RegExp(delimiter))
  // A delimiter at the beginning or the end delimits nothing.
  if (texts[0] === '') texts.shift()
  if (texts.at(-1) === '') texts.pop()
  print(`Number of records read: ${texts.length}`)
  const values = texts.map((text) => Buffer.from(text))
  return () => values[Math.floor(random() * values.length)]!
}
