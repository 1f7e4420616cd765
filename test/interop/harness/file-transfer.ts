/**
 * A file goes through several partitions of the broker and is put together again, with each codec.
 * The client programs check offsets and the order within partitions themselves.
 */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { type Broker, startBroker } from './broker.ts'
import { type Codec, codecs, go, java } from './clients.ts'
import { corpus, sha256 } from './corpus.ts'
import { recordsByCodec } from './log-folder.ts'
import { settings } from './settings.ts'
import { createTopics } from './wire.ts'
import { createWorkspace } from './workspace.ts'

const partitions = 3

export interface FileClient {
  name: string
  /** Sends a file; returns how many bytes that were. */
  produce(broker: Broker, topic: string, codec: Codec, file: string): Promise<string>
  /** Writes what a topic holds to a file. */
  consume(broker: Broker, topic: string, file: string): Promise<string>
}

export const javaClient: FileClient = {
  name: 'java',
  produce: (broker, topic, codec, file) =>
    java('FileProducer', [
      ...[broker.address, topic, String(partitions), file],
      `compression.type=${codec}`,
    ]),
  consume: (broker, topic, file) =>
    java('FileConsumer', [broker.address, topic, String(partitions), file]),
}

export const goClient: FileClient = {
  name: 'go',
  produce: (broker, topic, codec, file) =>
    go(['produce', broker.address, topic, String(partitions), file, codec]),
  consume: (broker, topic, file) =>
    go(['consume', broker.address, topic, String(partitions), file]),
}

/** Runs the transfer as subtests of `t`, with one producer and one or more readers. */
export async function transferFile(
  t: TestContext,
  producer: FileClient,
  readers: FileClient[],
): Promise<void> {
  const file = await corpus(settings.corpusMegabytes)
  const workspace = createWorkspace(t)
  const broker = await startBroker(workspace, { dataFolder: workspace.path('data') })
  const output = workspace.path('output')
  for (const codec of codecs) {
    const topic = `file-${codec}`
    await t.test(`${producer.name} sends ${file.bytes} bytes, ${codec}`, async () => {
      await createTopics(broker.port, [{ name: topic, partitions }])
      const sent = await producer.produce(broker, topic, codec, file.path)
      assert.equal(Number(sent), file.bytes)
      for (let partition = 0; partition < partitions; partition++) {
        const counts = recordsByCodec(broker.dataFolder, `${topic}-${partition}`)
        assert.ok((counts.get(codec) ?? 0) > 0, `partition ${partition}: no batch of ${codec}`)
      }
    })
    for (const reader of readers) {
      await t.test(`${reader.name} reads them, ${codec}`, async () => {
        await reader.consume(broker, topic, output)
        assert.equal(await sha256(output), file.sha256)
        rmSync(output)
      })
    }
  }
  await broker.stop()
}
