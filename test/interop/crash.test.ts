/**
 * SIGKILL under load, again and again. A Java producer (idempotent, acks=all) sends numbered
 * records to a partition of 1 GB and notes each acknowledgement; it lives on while the broker is
 * killed at a random moment and started again on its port and folder. At the end every acknowledged
 * record is at the offset that its acknowledgement named, and whatever was sent is there once and
 * in order.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Broker, freePort, startBroker } from './harness/broker.ts'
import { type Child, startChild } from './harness/children.ts'
import { java, javaArguments } from './harness/clients.ts'
import { settings } from './harness/settings.ts'
import { createTopics, untilLed } from './harness/wire.ts'
import { createWorkspace, type Workspace } from './harness/workspace.ts'

const topic = 'crashed'
const recordBytes = 1024
/** What a start may take over 1 GB that was not shut down; Apache Kafka takes what it needs. */
const startLimitMs = settings.target === 'samsa' ? 2_000 : 60_000

/** A small generator with a seed (mulberry32), so that a failing run can be had again. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The lines `number offset` of a file; an offset that is no number stands for a failed send. */
function readPairs(path: string): [number: number, offset: number][] {
  const pairs: [number, number][] = []
  for (const line of readFileSync(path, 'latin1').trimEnd().split('\n')) {
    const space = line.indexOf(' ')
    pairs.push([Number(line.slice(0, space)), Number(line.slice(space + 1))])
  }
  return pairs
}

/** The highest offset that has been acknowledged so far: the file is being written. */
function lastAcknowledged(path: string): number {
  if (!existsSync(path)) return -1
  const lines = readFileSync(path, 'latin1').split('\n').slice(0, -1)
  const offset = Number(lines.at(-1)?.split(' ')[1] ?? -1)
  return Number.isNaN(offset) ? -1 : offset
}

function startProducer(workspace: Workspace, broker: Broker, path: string, first: number): Child {
  const args = [broker.address, topic, String(recordBytes), path, String(first), '0']
  const child = startChild('java', javaArguments('AckedProducer', args), {
    pipeInput: true,
    outputPath: workspace.path('producer.out'),
    errorPath: workspace.path('producer.log'),
  })
  workspace.onEnd(() => {
    child.process.kill('SIGKILL')
  })
  return child
}

/** Tells the producer to send the rest and end; returns the number after the last it sent. */
async function endProducer(workspace: Workspace, producer: Child): Promise<number> {
  producer.process.stdin?.end('enough\n')
  const { code } = await producer.exit
  assert.equal(code, 0, readFileSync(workspace.path('producer.log'), 'utf8').slice(-2000))
  return Number(readFileSync(workspace.path('producer.out'), 'utf8'))
}

/** Compares what is in the partition with what was acknowledged; `sent` counts all records. */
function assertKept(
  stored: [number, number][],
  acknowledged: [number, number][],
  sent: number,
): void {
  const offsets = new Map<number, number>()
  let previous = -1
  for (const [number, offset] of stored) {
    assert.ok(number > previous, `record ${number} comes after ${previous}, at offset ${offset}`)
    previous = number
    offsets.set(number, offset)
  }
  const outcomes = new Map(acknowledged)
  for (let number = 0; number < sent; number++) {
    const outcome = outcomes.get(number)
    assert.notEqual(outcome, undefined, `record ${number} was sent and never answered`)
    if (Number.isNaN(outcome)) continue
    assert.equal(
      offsets.get(number),
      outcome,
      `record ${number}: its offset is not as acknowledged`,
    )
  }
}

test(`${settings.crashes} crashes under load`, { timeout: 900_000 }, async (t) => {
  t.diagnostic(`seed ${settings.seed}`)
  const random = generator(settings.seed)
  const workspace = createWorkspace(t)
  const options = { dataFolder: workspace.path('data'), port: await freePort() }
  let broker = await startBroker(workspace, options)
  await createTopics(broker.port, [{ name: topic }])
  const filled = Math.ceil((settings.crashLogMegabytes * (1 << 20)) / recordBytes)
  const prefill = workspace.path('prefill.txt')
  const fill = [broker.address, topic, String(recordBytes), prefill, '0', String(filled)]
  await java('AckedProducer', fill)

  const acknowledged = workspace.path('acknowledged.txt')
  const producer = startProducer(workspace, broker, acknowledged, filled)
  while (lastAcknowledged(acknowledged) < filled) await sleep(20)
  const startsMs: number[] = []
  for (let crash = 1; crash <= settings.crashes; crash++) {
    await sleep(100 + random() * 1_400)
    await broker.kill()
    const promised = lastAcknowledged(acknowledged)
    const startedAt = performance.now()
    broker = await startBroker(workspace, options)
    const end = await untilLed(broker.port, topic, 0)
    startsMs.push(performance.now() - startedAt)
    assert.ok(
      end > promised,
      `crash ${crash}: offset ${promised} acknowledged, the log ends at ${end}`,
    )
  }
  const sent = await endProducer(workspace, producer)

  const stored = workspace.path('stored.txt')
  await java('AckedConsumer', [broker.address, topic, stored])
  await broker.stop()
  const answers = [...readPairs(prefill), ...readPairs(acknowledged)]
  assertKept(readPairs(stored), answers, sent)
  assert.ok(sent - filled > settings.crashes * 100, `only ${sent - filled} records under load`)

  const rounded = startsMs.map((ms) => Math.round(ms))
  t.diagnostic(
    `${sent} records, ${answers.filter(([, at]) => Number.isNaN(at)).length} failed sends`,
  )
  t.diagnostic(`starts after a crash, ms: ${rounded.join(' ')}`)
  // This limit is the promise that is shown here, not a guess at how fast the machine is.
  assert.ok(Math.max(...rounded) < startLimitMs, `a start took ${Math.max(...rounded)} ms`)
})
