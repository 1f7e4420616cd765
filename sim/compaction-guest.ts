/**
 * A topic of few keys, small segments and an eager cleaner; a client that writes and deletes keys,
 * and reads all of it from time to time, while it is being compacted.
 */
import { type Disk, readWholeFile } from '../src/common/disk.ts'
import { ErrorCode, errorName } from '../src/common/errors.ts'
import { BatchIterator } from '../src/protocol/records/batch-iterator.ts'
import { buildRecordBatch } from '../src/protocol/records/record-batch-writer.ts'
import { type Record, readRecords } from '../src/protocol/records/record-reader.ts'
import type { Target } from './broker-client.ts'
import { CompactedModel, type FoundRecord } from './compacted-model.ts'
import type { CoordinatorClient } from './coordinator-client.ts'
import {
  type Actor,
  type Guest,
  type GuestOptions,
  GuestTopic,
  type LifeEnd,
  type RecoveryPoint,
} from './guest.ts'
import { readLog } from './log-reading.ts'
import { Violation } from './partition-model.ts'
import type { SeededRandom } from './seeded-random.ts'
import { actUntilOver, allSettled, type Life } from './workload.ts'

const NEVER_MS = '86400000'
const ID_HEADER = 'id'
const COMPRESSIONS = ['none', 'none', 'gzip', 'lz4'] as const

export class CompactionGuest implements Guest {
  readonly #options: GuestOptions
  readonly #topic: GuestTopic
  readonly #models: readonly CompactedModel[]
  readonly #client: CoordinatorClient
  readonly #keys: number
  #nextRecord = 0

  /** `isFlushed`: the broker's settings have everything flushed. */
  constructor(options: GuestOptions, isFlushed: boolean) {
    const { random, connect } = options
    this.#options = options
    this.#client = connect()
    this.#keys = random.pick([2, 5, 12])
    const configs = chooseConfigs(random)
    const keepsTombstones = configs.get('delete.retention.ms') === NEVER_MS
    this.#topic = new GuestTopic('c0', random.between(1, 2), configs)
    this.#models = Array.from({ length: this.#topic.partitions }, (_, index) => {
      return new CompactedModel({ name: `c0-${index}`, isFlushed, keepsTombstones })
    })
  }

  actors(): readonly Actor[] {
    return [
      {
        run: (life) =>
          actUntilOver(life, { ...this.#options, client: this.#client }, () => this.#act(life)),
      },
    ]
  }

  async verify(): Promise<void> {
    const client = this.#options.connect()
    const exists = await this.#topic.settle(client)
    for (const [partition, model] of exists ? this.#models.entries() : []) {
      const { offset } = await client.logEnd(this.#topic.name, partition, 0)
      model.recovered(offset)
      await this.#read(client, partition)
    }
    client.close()
  }

  async settle(): Promise<void> {
    const client = this.#options.connect()
    for (const partition of this.#topic.exists ? this.#models.keys() : []) {
      await this.#read(client, partition)
    }
    client.close()
  }

  crashed({ kind }: LifeEnd): void {
    for (const model of this.#models) model.crashed(kind)
  }

  noteRecoveryPoints(points: readonly RecoveryPoint[]): void {
    for (const { topic, partition, offset } of points) {
      if (topic === this.#topic.name) this.#models[partition]!.noteDurable(offset)
    }
  }

  checkFiles(disk: Disk, directories: readonly string[]): void {
    for (const [partition, model] of this.#models.entries()) {
      const folder = directories
        .map((directory) => `${directory}/${this.#topic.name}-${partition}`)
        .find((path) => disk.stat(path) !== undefined)
      if (folder === undefined) continue
      const names = disk.list(folder).filter((name) => name.endsWith('.log'))
      const records = names.flatMap((name) => readSegment(disk, `${folder}/${name}`))
      model.foundAtRest(records.map(foundRecord), Number.POSITIVE_INFINITY)
    }
  }

  async #act(life: Life): Promise<void> {
    const { random } = this.#options
    if (!(await this.#topic.ensure(this.#client, life))) return
    const partition = random.int(this.#models.length)
    if (random.chance(0.15) && !life.hasFaults) await this.#read(this.#client, partition)
    else await this.#write(partition, life)
  }

  async #read(client: CoordinatorClient, partition: number): Promise<void> {
    const log = { topic: this.#topic.name, partition, isCompacted: true }
    const { records, end } = await readLog(client, log, 0, this.#options.random)
    this.#models[partition]!.found(records.map(foundRecord), end)
  }

  /** Writes some batches, one after the other but without waiting for answers. */
  async #write(partition: number, life: Life): Promise<void> {
    const { random } = this.#options
    const target = { topic: this.#topic.name, topicId: '', index: partition, byId: false }
    const answers: Promise<void>[] = []
    for (let count = random.between(1, 6); count > 0; count--) {
      answers.push(this.#writeBatch(target, this.#models[partition]!, life))
    }
    await allSettled(answers)
  }

  async #writeBatch(target: Target, model: CompactedModel, life: Life): Promise<void> {
    const { random, clock } = this.#options
    const ids: string[] = []
    const records = Array.from({ length: random.between(1, 4) }, () => {
      const id = `c-${this.#nextRecord++}`
      const key = `k${random.int(this.#keys)}`
      const isTombstone = random.chance(0.2)
      const value = isTombstone ? null : Buffer.alloc(random.int(150), id)
      ids.push(id)
      model.send(id, key, isTombstone)
      const headers = [{ key: ID_HEADER, value: Buffer.from(id) }]
      return { timestamp: clock.now(), key: Buffer.from(key), value, headers }
    })
    const batch = buildRecordBatch(records, { compression: random.pick(COMPRESSIONS) })
    const answer = await this.#client.broker.produce(target, random.pick([1, -1]), batch)
    if (answer.errorCode === ErrorCode.NONE) model.acknowledge(ids, answer.baseOffset)
    else if (!life.hasFaults) {
      throw new Violation(`Produce to ${model.name}: ${errorName(answer.errorCode)}`)
    }
  }
}

function foundRecord({ offset, key, value, headers }: Record): FoundRecord {
  const id = String(headers.find((header) => header.key === ID_HEADER)?.value)
  return { id, key: String(key), isTombstone: value === null, offset }
}

function readSegment(disk: Disk, path: string): Record[] {
  const bytes = readWholeFile(disk, path)!
  const batches = new BatchIterator(bytes)
  const records: Record[] = []
  while (batches.next()) records.push(...readRecords(bytes, batches.position))
  return records
}

function chooseConfigs(random: SeededRandom): Map<string, string> {
  const configs = new Map([
    ['cleanup.policy', 'compact'],
    ['internal.segment.bytes', random.pick(['1000', '2000', '8000'])],
    ['min.cleanable.dirty.ratio', random.pick(['0', '0.1', '0.5'])],
    ['delete.retention.ms', random.pick(['0', '100', NEVER_MS])],
    ['file.delete.delay.ms', random.pick(['0', '100', '60000'])],
    ['index.interval.bytes', random.pick(['0', '500', '4096'])],
  ])
  if (random.chance(0.3)) configs.set('segment.ms', '500')
  return configs
}
