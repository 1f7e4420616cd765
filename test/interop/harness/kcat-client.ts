/**
 * kcat as a client program of `contract.ts`, as far as a command line can be one: it runs kcat and
 * puts what that prints into the contract's words. Records are values of one line without headers,
 * and there are no transactions and no admin calls.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { ClientEvent, RecordToSend } from './contract.ts'

interface Request {
  address: string
  topic: string
  group: string
  records: RecordToSend[]
  count: number
}

const [command, path] = process.argv.slice(2)
const request = JSON.parse(readFileSync(path ?? '', 'utf8')) as Request

function emit(event: ClientEvent): void {
  writeSync(1, `${JSON.stringify(event)}\n`)
}

/** Waits for kcat's end and takes over its exit code if that is a bad one. */
async function finish(kcat: ChildProcess): Promise<void> {
  const code = await new Promise<number | null>((resolve) => kcat.once('close', resolve))
  if (code !== 0) process.exit(code ?? 1)
}

async function produce(): Promise<void> {
  const partitions = Map.groupBy(request.records, ({ partition }) => partition)
  for (const [partition, records] of partitions) {
    const to = ['-b', request.address, '-t', request.topic, '-p', String(partition)]
    const kcat = spawn('kcat', ['-P', ...to], { stdio: ['pipe', 'ignore', 'inherit'] })
    kcat.stdin.end(records.map(({ value }) => `${value}\n`).join(''))
    await finish(kcat)
  }
}

/** What `kcat -J` prints of a record. */
interface Printed {
  partition: number
  offset: number
  ts: number
  key: string | null
  payload: string | null
}

function show(line: string): void {
  const { partition, offset, ts, key, payload } = JSON.parse(line) as Printed
  const record = { partition, offset, key, value: payload, headers: [], timestamp: ts }
  emit({ type: 'record', ...record })
}

function join(...flags: string[]): ChildProcess {
  const settings = ['auto.offset.reset=earliest', 'fetch.wait.max.ms=100', ...flags]
  const options = settings.flatMap((setting) => ['-X', setting])
  const count = command === 'read' ? ['-c', String(request.count)] : []
  const group = ['-b', request.address, '-G', request.group, ...options, ...count, '-J', '-u']
  const kcat = spawn('kcat', [...group, request.topic], { stdio: ['ignore', 'pipe', 'pipe'] })
  createInterface(kcat.stdout).on('line', show)
  return kcat
}

async function read(): Promise<void> {
  const kcat = join()
  kcat.stderr?.pipe(process.stderr)
  await finish(kcat)
}

/**
 * What kcat prints of its partitions has no time, so the generation goes along, which librdkafka's
 * own log tells. SIGTERM reaches the whole process group, and so kcat itself.
 */
async function member(): Promise<void> {
  process.on('SIGTERM', () => {})
  const session = ['session.timeout.ms=3000', 'heartbeat.interval.ms=300']
  const kcat = join(...session, 'auto.commit.interval.ms=100', 'debug=cgrp')
  let generation = 0
  createInterface(kcat.stderr as NodeJS.ReadableStream).on('line', (line) => {
    const joined = /JoinGroup response: GenerationId (\d+)/.exec(line)
    if (joined !== null) generation = Number(joined[1])
    const change = /^% Group .* rebalanced .*: (assigned|revoked): (.*)$/.exec(line)
    if (change === null) {
      if (line.startsWith('%') && !line.startsWith('%7|')) process.stderr.write(`${line}\n`)
      return
    }
    const all = [...(change[2] ?? '').matchAll(/\[(\d+)\]/g)].map(([, number]) => Number(number))
    const partitions = change[1] === 'assigned' ? all : []
    emit({ type: 'owns', partitions, at: Date.now(), generation })
  })
  await finish(kcat)
}

const commands: Record<string, () => Promise<void>> = { produce, read, member }
await commands[command ?? '']?.()
