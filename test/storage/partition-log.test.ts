/**
 * The log against a model: a list of batches. Any sequence of appends, rolls, flushes, truncations,
 * deletions and restarts must leave the log with what the model has, or after a crash with as much
 * of it as the crash may leave.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Slab } from '../../src/common/slab.ts'
import {
  type RecordBatchHeader,
  readRecordBatchHeader,
} from '../../src/protocol/records/record-batch.ts'
import type { LogContext } from '../../src/storage/log-context.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import { append, makeBatch, makeWorld, openLog, parseBatches, readAll } from './log-harness.ts'

type Action =
  | { type: 'append'; count: number; valueBytes: number }
  | { type: 'commit' }
  | { type: 'roll' }
  | { type: 'flush' }
  | { type: 'rest' }
  | { type: 'truncate'; fraction: number }
  | { type: 'deleteRecords'; fraction: number }
  | { type: 'removeOld' }
  | { type: 'restart'; how: 'clean' | 'kill' | 'power' }
  | { type: 'read'; fraction: number; maxBytes: number }

const fraction = fc.double({ min: 0, max: 1, noNaN: true })

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        type: fc.constant('append' as const),
        count: fc.integer({ min: 1, max: 8 }),
        valueBytes: fc.integer({ min: 0, max: 120 }),
      }),
    },
    { weight: 6, arbitrary: fc.constant({ type: 'commit' as const }) },
    { weight: 1, arbitrary: fc.constant({ type: 'roll' as const }) },
    { weight: 2, arbitrary: fc.constant({ type: 'flush' as const }) },
    { weight: 2, arbitrary: fc.constant({ type: 'rest' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('truncate' as const), fraction }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('deleteRecords' as const), fraction }),
    },
    { weight: 1, arbitrary: fc.constant({ type: 'removeOld' as const }) },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('restart' as const),
        how: fc.constantFrom('clean' as const, 'kill' as const, 'power' as const),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant('read' as const),
        fraction,
        maxBytes: fc.integer({ min: 0, max: 3000 }),
      }),
    },
  ),
  { maxLength: 80, size: 'max' },
)

interface ModelBatch {
  readonly baseOffset: number
  readonly nextOffset: number
  readonly bytes: Buffer
}

/** Runs actions against a log and the model side by side. */
class Run {
  readonly world: ReturnType<typeof makeWorld>
  readonly tailCacheBytes: number
  context: LogContext
  log!: PartitionLog
  staged: ModelBatch[] = []
  committed: ModelBatch[] = []
  startOffset = 0
  /** What the checkpoints on disk say. */
  checkpoint = { recoveryPoint: 0, logStartOffset: 0 }
  /** Everything below was promised to survive a power cut. */
  durable = 0

  constructor(seed: number, nameLoss: 'ordered' | 'perDirectory', tailCacheBytes: number) {
    this.world = makeWorld(seed, nameLoss)
    this.tailCacheBytes = tailCacheBytes
    this.context = this.world.newContext(tailCacheBytes)
  }

  /** What each producer sends next. After a loss it begins anew where the log's memory ends. */
  sequences = [0, 0, 0]
  /** What has been received since the last commit. */
  slabs: Slab[] = []

  async open(hadCleanShutdown: boolean): Promise<void> {
    this.context = this.world.newContext(this.tailCacheBytes)
    this.log = await openLog(this.world, this.context, {
      hadCleanShutdown,
      ...this.checkpoint,
      writeCheckpoints: async () => this.writeCheckpoint(),
    })
  }

  writeCheckpoint(): void {
    this.checkpoint = {
      recoveryPoint: this.log.checkpointPoint,
      logStartOffset: this.log.logStartOffset,
    }
  }

  async perform(action: Action): Promise<void> {
    const { log, world } = this
    const span = log.logEndOffset - log.logStartOffset
    switch (action.type) {
      case 'append': {
        const producerId = action.valueBytes % 3
        const baseSequence = this.sequences[producerId]!
        this.sequences[producerId] = baseSequence + action.count
        const producer = { producerId, producerEpoch: 0, baseSequence }
        const { view, slab } = this.receive(makeBatch({ ...action, ...producer }))
        const info = append(log, view, { lease: slab })
        this.staged.push({
          baseOffset: info.firstOffset,
          nextOffset: info.lastOffset + 1,
          bytes: Buffer.from(view),
        })
        assert.equal(info.lastOffset - info.firstOffset + 1, action.count)
        return this.noteWritten()
      }
      case 'commit':
        log.commit()
        this.slabs.splice(0).forEach((slab) => {
          slab.release()
        })
        return this.noteCommit()
      case 'roll':
        log.roll()
        return this.noteCommit()
      case 'flush': {
        const end = log.logEndOffset
        await world.simulation.run(() => log.flush())
        this.durable = Math.max(this.durable, end)
        assert.ok(log.recoveryPoint >= end)
        this.writeCheckpoint()
        return
      }
      case 'rest':
        await world.simulation.pass(50)
        this.writeCheckpoint()
        return
      case 'truncate': {
        log.commit()
        this.noteCommit()
        const around = log.logStartOffset + Math.round(span * action.fraction)
        const boundary = this.committed.find((batch) => batch.baseOffset >= around)
        const offset = boundary?.baseOffset ?? log.logEndOffset
        await world.simulation.run(() => log.truncateTo(offset))
        this.committed = this.committed.filter((batch) => batch.nextOffset <= offset)
        this.durable = Math.min(this.durable, offset)
        assert.equal(log.logEndOffset, offset)
        return this.checkProducers()
      }
      case 'deleteRecords':
        log.deleteRecordsBefore(log.logStartOffset + Math.round(span * action.fraction))
        this.startOffset = log.logStartOffset
        return
      case 'removeOld':
        this.writeCheckpoint()
        log.removeOldSegments()
        return
      case 'restart':
        return this.restart(action.how)
      case 'read':
        return this.checkRead(log.logStartOffset + Math.round(span * action.fraction), action)
    }
  }

  /** Puts a batch where a socket would: into a slab that is reused, unless the log retains it. */
  receive(batch: Buffer): { view: Buffer; slab: Slab } {
    const slab = this.world.slabs.acquire(batch.length)
    this.slabs.push(slab)
    slab.memory.set(batch)
    return { view: slab.memory.subarray(0, batch.length), slab }
  }

  /** A roll writes what was staged before it. */
  noteWritten(): void {
    const isWritten = (batch: ModelBatch) => batch.nextOffset <= this.log.logEndOffset
    this.committed.push(...this.staged.filter(isWritten))
    this.staged = this.staged.filter((batch) => !isWritten(batch))
  }

  noteCommit(): void {
    this.noteWritten()
    assert.equal(this.log.logEndOffset, this.log.stagedEndOffset)
    assert.equal(this.staged.length, 0)
  }

  async restart(how: 'clean' | 'kill' | 'power'): Promise<void> {
    const { log, world } = this
    const endBefore = log.logEndOffset
    if (how === 'clean') {
      await world.simulation.run(() => log.close())
      this.noteCommit()
      this.writeCheckpoint()
      this.durable = log.logEndOffset
    } else {
      if (how === 'kill') world.disk.killProcess()
      else world.disk.losePower()
      this.staged = []
    }
    await this.open(how === 'clean')
    if (how === 'power') this.noteLoss()
    else assert.equal(this.log.logEndOffset, how === 'clean' ? log.logEndOffset : endBefore)
    assert.ok(this.log.logEndOffset >= this.durable, 'flushed data was lost')
    this.startOffset = this.log.logStartOffset
    this.checkProducers()
  }

  /** The log remembers the last batch of each producer it has one of; producers go on there. */
  checkProducers(): void {
    const remembered = new Map([...this.log.activeProducers()].map((e) => [e.producerId, e]))
    const last = new Map<number, RecordBatchHeader>()
    for (const { bytes } of this.readable()) {
      const header = readRecordBatchHeader(bytes, 0)
      last.set(header.producerId, header)
    }
    for (const producerId of this.sequences.keys()) {
      const header = last.get(producerId)
      const known = remembered.get(producerId)?.batches.at(-1)
      const lastOffset = header === undefined ? -1 : header.baseOffset + header.lastOffsetDelta
      if (lastOffset >= this.log.logStartOffset) assert.equal(known?.lastOffset, lastOffset)
      this.sequences[producerId] = (known?.lastSequence ?? -1) + 1
    }
  }

  /** A power cut may take whole batches off the end, and nothing else. */
  noteLoss(): void {
    const end = this.log.logEndOffset
    this.committed = this.committed.filter((batch) => batch.nextOffset <= end)
  }

  /** A read gives the batches from the one that holds the offset on, as far as limits allow. */
  async checkRead(offset: number, limits: { maxBytes: number }): Promise<void> {
    const { log, world } = this
    const options = { maxOffset: log.logEndOffset, minOneBatch: true }
    const read = await world.simulation.run(async () => log.read(offset, limits.maxBytes, options))
    const found = parseBatches(Buffer.concat(read.chunks))
    read.release()
    const expected = this.readable().filter((batch) => batch.nextOffset > offset)
    assert.equal(found.length > 0, expected.length > 0)
    for (const [index, batch] of found.entries()) {
      assert.deepEqual(batch.bytes, expected[index]!.bytes)
    }
    assert.ok(found.length <= 1 || read.sizeInBytes <= limits.maxBytes)
  }

  readable(): ModelBatch[] {
    return this.committed.filter((batch) => batch.nextOffset <= this.log.logEndOffset)
  }

  async checkAll(): Promise<void> {
    const found = await readAll(this.world, this.log)
    const expected = this.readable().filter((batch) => batch.nextOffset > this.log.logStartOffset)
    assert.deepEqual(
      found.map(({ header }) => header.baseOffset),
      expected.map(({ baseOffset }) => baseOffset),
    )
    for (const [index, batch] of found.entries()) {
      assert.deepEqual(batch.bytes, expected[index]!.bytes)
    }
    // From each batch by itself, which goes through the index.
    for (const { baseOffset } of expected) {
      await this.checkRead(Math.max(baseOffset, this.log.logStartOffset), { maxBytes: 1 })
    }
  }
}

for (const nameLoss of ['ordered', 'perDirectory'] as const) {
  test(`a log keeps what the model keeps, names lost ${nameLoss}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        actions,
        fc.nat(),
        fc.constantFrom(0, 600 * 1024, 4 * 1024 * 1024),
        async (list, seed, tailCacheBytes) => {
          const run = new Run(seed, nameLoss, tailCacheBytes)
          await run.open(false)
          for (const action of list) await run.perform(action)
          await run.checkAll()
          await run.restart('kill')
          await run.checkAll()
        },
      ),
      { numRuns: 300 },
    )
  })
}
