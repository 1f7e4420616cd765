import assert from 'node:assert/strict'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { COMPRESSION_TYPES } from '../../src/common/compression/compression.ts'
import { buildRecordBatch } from '../../src/protocol/records/record-batch-writer.ts'
import { kafkaDumpLog } from '../../src/tools/kafka-dump-log.ts'
import { runTool } from './support/run-tool.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const NAME = '00000000000000000000.log'

interface Batch {
  readonly compression: (typeof COMPRESSION_TYPES)[number]
  readonly values: readonly (number | null)[]
}

const BATCH_LINE = new RegExp(
  '^baseOffset: (\\d+) lastOffset: (\\d+) .* position: (\\d+) .* size: (\\d+) .* ' +
    'compresscodec: (\\w+) .* isvalid: (\\w+)$',
)

/** Batches of all sizes, up to several of the pieces in which files are read. */
const batches: fc.Arbitrary<Batch[]> = fc.array(
  fc.record({
    compression: fc.constantFrom(...COMPRESSION_TYPES),
    values: fc.array(fc.option(fc.oneof(fc.nat(100), fc.nat(900_000))), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  { minLength: 1, maxLength: 8 },
)

test('every batch and every record of a log is shown, whatever their sizes', async (t) => {
  const path = join(temporaryFolder(t), NAME)
  const property = fc.asyncProperty(batches, async (all) => {
    let offset = 0
    let position = 0
    const expected: string[] = []
    writeFileSync(path, '')
    for (const { compression, values } of all) {
      const records = values.map((size, index) => {
        const value = size === null ? null : Buffer.alloc(size, 'v')
        return { timestamp: index, key: Buffer.from(String(index)), value }
      })
      const batch = buildRecordBatch(records, { compression, baseOffset: offset })
      appendFileSync(path, batch)
      const last = offset + values.length - 1
      expected.push(`${offset} to ${last} at ${position}: ${batch.length} ${compression} true`)
      expected.push(...values.map((size, index) => `${offset + index}: ${size ?? -1}`))
      offset += values.length
      position += batch.length
    }
    const run = await runTool(kafkaDumpLog, ['--files', path, '--deep-iteration'])
    assert.deepEqual({ code: run.code, stderr: run.stderr }, { code: 0, stderr: '' })
    const shown = run.stdout
      .trimEnd()
      .split('\n')
      .slice(2)
      .map((line) =>
        line
          .replace(BATCH_LINE, '$1 to $2 at $3: $4 $5 $6')
          .replace(/^\| offset: (\d+) .* valueSize: (-?\d+) .*$/, '$1: $2'),
      )
    assert.deepEqual(shown, expected)
  })
  await fc.assert(property, { numRuns: 25 })
})

test('a damaged log is told of, and its readable part shown', async (t) => {
  const path = join(temporaryFolder(t), NAME)
  const batch = buildRecordBatch([{ timestamp: 1, key: null, value: Buffer.from('value') }], {})
  const damaged = Buffer.from(batch)
  damaged[batch.length - 2]! ^= 1
  writeFileSync(path, Buffer.concat([batch, damaged, batch.subarray(0, 40)]))
  const run = await runTool(kafkaDumpLog, ['--files', path, '--print-data-log'])
  assert.equal(run.code, 0)
  assert.deepEqual(run.stdout.match(/isvalid: \w+/g), ['isvalid: true', 'isvalid: false'])
  assert.match(run.stdout, /payload: value\n/)
  assert.match(run.stdout, new RegExp(`\\nFound 40 invalid bytes at the end of ${NAME}\\n$`))
  // The second batch has the offset of the first.
  assert.match(run.stderr, /^Non-consecutive offsets in .*\n {2}0 is followed by 0\n$/)
})
