/**
 * A Kafka Streams application, exactly_once_v2, counts the words of some ten thousand lines while
 * they arrive. In the middle of it the broker is killed and started again, then the application.
 * Read with read_committed, the values of each word are 1, 2, 3 and so on up to its true count:
 * nothing was lost, nothing counted twice, nothing seen that was taken back.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Broker, freePort, startBroker } from './harness/broker.ts'
import { run, signalGroup, startChild } from './harness/children.ts'
import { java, javaArguments } from './harness/clients.ts'
import { createTopics, LATEST, listOffset, untilLed } from './harness/wire.ts'
import { createWorkspace, type Workspace } from './harness/workspace.ts'

const partitions = 3
const lineCount = 30_000
const linesPerSecond = 3_000

/** Lines of one to nine words out of few hundred, and how often each word is in them. */
function makeText(): { lines: string[]; counts: Map<string, number>; words: number } {
  const counts = new Map<string, number>()
  const lines: string[] = []
  let state = 1
  let words = 0
  const random = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % limit
  }
  for (let number = 0; number < lineCount; number++) {
    const line: string[] = []
    for (let left = 1 + random(9); left > 0; left--) {
      // Some words come far more often than others, as in any text.
      const word = `word${random(1 + random(300))}`
      line.push(word)
      counts.set(word, (counts.get(word) ?? 0) + 1)
      words += 1
    }
    lines.push(line.join(' '))
  }
  return { lines, counts, words }
}

class Application {
  readonly #workspace: Workspace
  readonly #args: string[]
  #child: ReturnType<typeof startChild> | undefined

  constructor(workspace: Workspace, address: string) {
    this.#workspace = workspace
    const settings = ['num.stream.threads=2', 'consumer.session.timeout.ms=6000']
    this.#args = [address, workspace.makeFolder('state'), ...settings]
  }

  start(): void {
    const child = startChild('java', javaArguments('WordCount', this.#args), {
      pipeInput: true,
      outputPath: this.#workspace.path('application.out'),
      errorPath: this.#workspace.path('application.log'),
    })
    this.#workspace.onEnd(() => signalGroup(child.pid, 'SIGKILL'))
    this.#child = child
  }

  async kill(): Promise<void> {
    this.#child?.process.kill('SIGKILL')
    await this.#child?.exit
  }

  async end(): Promise<void> {
    this.#child?.process.stdin?.end()
    const exit = await this.#child?.exit
    assert.equal(exit?.code, 0)
  }
}

/** How many records and markers the output holds. */
async function outputSize(broker: Broker): Promise<number> {
  let sum = 0
  for (let partition = 0; partition < partitions; partition++) {
    sum += (await listOffset(broker.port, 'counts', partition, LATEST)).offset
  }
  return sum
}

async function untilOutputHas(broker: Broker, size: number): Promise<void> {
  const limit = Date.now() + 90_000
  for (let found = -1; found < size; found = await outputSize(broker)) {
    assert.ok(Date.now() < limit, `${found} of ${size} records in the output after 90 s`)
    await sleep(50)
  }
}

/** The committed values of each word, in order. */
async function readCounts(
  workspace: Workspace,
  broker: Broker,
): Promise<{ values: Map<string, number[]>; total: number }> {
  const path = workspace.path('counts.txt')
  await java('CountReader', [broker.address, 'counts', String(partitions), path])
  const lines = readFileSync(path, 'latin1').trimEnd().split('\n')
  const values = new Map<string, number[]>()
  for (const line of lines) {
    const [word = '', value] = line.split(' ')
    const before = values.get(word)
    if (before === undefined) values.set(word, [Number(value)])
    else before.push(Number(value))
  }
  return { values, total: lines.length }
}

test('a word count over crashes of broker and application', { timeout: 300_000 }, async (t) => {
  const workspace = createWorkspace(t)
  const text = makeText()
  writeFileSync(workspace.path('lines.txt'), `${text.lines.join('\n')}\n`)
  const options = { dataFolder: workspace.path('data'), port: await freePort() }
  let broker = await startBroker(workspace, options)
  const topics = ['lines', 'counts'].map((name) => ({ name, partitions }))
  await createTopics(broker.port, topics)
  const application = new Application(workspace, broker.address)
  application.start()
  const feed = [broker.address, 'lines', String(partitions), workspace.path('lines.txt')]
  const feeding = run('java', javaArguments('LineFeeder', [...feed, String(linesPerSecond)]), {
    errorPath: workspace.path('feeder.log'),
  })

  await untilOutputHas(broker, text.words * 0.1)
  await broker.kill()
  broker = await startBroker(workspace, options)
  for (let index = 0; index < partitions; index++) await untilLed(broker.port, 'counts', index)
  const afterBroker = await outputSize(broker)
  await untilOutputHas(broker, afterBroker + text.words * 0.2)
  await application.kill()
  application.start()
  await feeding

  let counted = await readCounts(workspace, broker)
  const limit = Date.now() + 90_000
  while (counted.total < text.words && Date.now() < limit) {
    await sleep(500)
    counted = await readCounts(workspace, broker)
  }
  for (const [word, count] of text.counts) {
    const values = counted.values.get(word) ?? []
    const wrong = values.findIndex((value, index) => value !== index + 1)
    assert.equal(wrong, -1, `${word}: ${values[wrong]} follows ${values[wrong - 1]}`)
    assert.equal(values.length, count, `the count of ${word}`)
  }
  assert.equal(counted.total, text.words, 'values in all')
  t.diagnostic(`${text.words} words, ${text.counts.size} different`)
  await application.end()
  await broker.stop()
})
