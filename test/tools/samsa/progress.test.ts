import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Progress, progressLine } from '../../../src/tools/samsa/progress.ts'

function world(isTTY: boolean) {
  const written: string[] = []
  const output = { write: (text: string | Uint8Array) => written.push(String(text)), isTTY }
  let nowMs = 0
  const io = {
    ...{ stdin: process.stdin, stdout: output, stderr: output },
    signal: new AbortController().signal,
  }
  const progress = new Progress({ io, unit: 'records', now: () => nowMs })
  return { progress, written, wait: (ms: number) => (nowMs += ms) }
}

test('the line has a bar, the count, the rate and when it ends', () => {
  const line = progressLine(1_204_113, 'records', 4000, 0.45)
  assert.equal(line, '[=========>          ]  45 %  1,204,113 records  301,028/s  ETA 0:05')
  assert.equal(progressLine(10, 'records', 1000, undefined), '10 records  10/s')
  assert.match(progressLine(1, 'records', 3_600_000, 0.1), /ETA 9:00:00$/)
  assert.match(progressLine(5, 'records', 100, 1), /^\[={20}\] 100 %/)
})

test('on a terminal the line is drawn now and then, and taken away at the end', () => {
  const { progress, written, wait } = world(true)
  progress.add(1)
  assert.deepEqual(written, [])
  wait(600)
  progress.add(1)
  wait(10)
  progress.add(1)
  assert.equal(written.length, 1)
  wait(200)
  progress.add(1, 0.5)
  progress.end()
  assert.match(written[1]!, /50 %/)
  assert.equal(written.at(-1), '\r\x1b[K')
})

test('elsewhere nothing is drawn', () => {
  const { progress, written, wait } = world(false)
  wait(5000)
  progress.add(1, 0.5)
  progress.end()
  assert.deepEqual(written, [])
})
