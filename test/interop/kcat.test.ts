/**
 * kcat (librdkafka) sends a file and gets it back, byte for byte, with each codec.
 *
 * Fed from standard input, kcat takes each line for a message and drops empty ones, so a text with
 * empty lines cannot come back whole, whatever the broker does. Given file names, it sends each
 * file's bytes as one message, and `-f %s` writes payloads with nothing between them: that returns
 * every byte. So the corpus travels as pieces of many sizes, and a part of it, without its empty
 * lines, also line by line, for the sake of many small messages.
 */
import assert from 'node:assert/strict'
import { closeSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Broker, startBroker } from './harness/broker.ts'
import { type Codec, codecs, kcat } from './harness/clients.ts'
import { adminDeeds, type ClientProgram } from './harness/contract.ts'
import { type Corpus, corpus, sha256 } from './harness/corpus.ts'
import { recordsByCodec } from './harness/log-folder.ts'
import { proveClients } from './harness/scenarios/index.ts'
import { settings } from './harness/settings.ts'
import { createTopics, LATEST, listOffset } from './harness/wire.ts'
import { createWorkspace, type Workspace } from './harness/workspace.ts'

/** In turn: a byte, less than a batch, more than the client's batch, close to message.max.bytes. */
const pieceSizes = [100_000, 1, 4_096, 300_000, 20_000, 999_000, 65_536, 13]

function cut(file: string, folder: string): string[] {
  const input = openSync(file, 'r')
  const names: string[] = []
  for (;;) {
    const piece = Buffer.alloc(pieceSizes[names.length % pieceSizes.length] as number)
    const length = readSync(input, piece)
    if (length === 0) break
    const name = String(names.length).padStart(6, '0')
    writeFileSync(join(folder, name), piece.subarray(0, length))
    names.push(name)
  }
  closeSync(input)
  return names
}

const consume = (broker: Broker, topic: string): string[] => [
  ...['-C', '-b', broker.address, '-t', topic, '-p', '0', '-o', 'beginning', '-e', '-q'],
]

const produce = (broker: Broker, topic: string, codec: Codec): string[] => [
  ...['-P', '-b', broker.address, '-t', topic, '-p', '0', '-z', codec],
]

/** librdkafka leaves a batch as it is when compressing would not make it smaller. */
function assertStored(broker: Broker, topic: string, codec: Codec): void {
  const counts = recordsByCodec(broker.dataFolder, `${topic}-0`)
  assert.ok((counts.get(codec) ?? 0) > 0, `${topic}: no batch of ${codec} in the log`)
  const others = [...counts.keys()].filter((found) => found !== codec && found !== 'none')
  assert.deepEqual(others, [], `${topic}: batches of other codecs`)
}

async function wholeFile(workspace: Workspace, broker: Broker, codec: Codec, file: Corpus) {
  const topic = `pieces-${codec}`
  const pieces = workspace.makeFolder('pieces')
  const names = cut(file.path, pieces)
  await createTopics(broker.port, [{ name: topic }])
  await kcat(workspace, [...produce(broker, topic, codec), ...names], { cwd: pieces })
  assert.deepEqual(await listOffset(broker.port, topic, 0, LATEST), {
    error: 0,
    offset: names.length,
  })
  assertStored(broker, topic, codec)
  const output = workspace.path('pieces.out')
  await kcat(workspace, [...consume(broker, topic), '-f', '%s'], { outputPath: output })
  assert.equal(await sha256(output), file.sha256)
  rmSync(pieces, { recursive: true })
  rmSync(output)
}

async function lineByLine(workspace: Workspace, broker: Broker, codec: Codec, lines: string) {
  const topic = `lines-${codec}`
  const output = workspace.path('lines.out')
  await createTopics(broker.port, [{ name: topic }])
  const idempotent = ['-X', 'enable.idempotence=true']
  const send = [...produce(broker, topic, codec), ...idempotent]
  await kcat(workspace, send, { inputPath: lines })
  assertStored(broker, topic, codec)
  await kcat(workspace, consume(broker, topic), { outputPath: output })
  assert.equal(await sha256(output), await sha256(lines))
  rmSync(output)
}

/** The corpus's first bytes as lines: none empty, none longer than a message may be. */
function withoutEmptyLines(file: Corpus, bytes: number, path: string): void {
  const input = openSync(file.path, 'r')
  const text = Buffer.alloc(bytes)
  const length = readSync(input, text)
  closeSync(input)
  const lines = text
    .subarray(0, length)
    .toString('latin1')
    .split('\n')
    .filter((line) => line.length > 0 && line.length < 900_000)
  writeFileSync(path, Buffer.from(`${lines.join('\n')}\n`, 'latin1'))
}

test('a file goes through kcat and comes back byte for byte', { timeout: 600_000 }, async (t) => {
  const file = await corpus(settings.corpusMegabytes)
  const workspace = createWorkspace(t)
  const broker = await startBroker(workspace, { dataFolder: workspace.path('data') })
  const lines = workspace.path('lines')
  withoutEmptyLines(file, 12 << 20, lines)
  for (const codec of codecs) {
    await t.test(`${file.bytes} bytes, ${codec}`, () => wholeFile(workspace, broker, codec, file))
    await t.test(`line by line, idempotent, ${codec}`, () =>
      lineByLine(workspace, broker, codec, lines),
    )
  }
  await t.test('a topic that the producer creates by naming it', async () => {
    const output = workspace.path('created.out')
    await kcat(workspace, produce(broker, 'created', 'none'), { inputPath: lines })
    await kcat(workspace, consume(broker, 'created'), { outputPath: output })
    assert.equal(await sha256(output), await sha256(lines))
  })
  await broker.stop()
})

const member: ClientProgram = {
  name: 'kcat',
  command: [process.execPath, join(import.meta.dirname, 'harness/kcat-client.ts')],
  codecs: [],
  groups: [{ protocol: 'classic' }],
  // "All broker connections are down: terminating", it says.
  needsBroker: true,
  idempotent: false,
  transactions: 'none',
  share: false,
  cannot: adminDeeds,
}

test('the clients of C', { timeout: 300_000 }, (t) => proveClients(t, [member]))
