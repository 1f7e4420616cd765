/** Runs Apache Kafka's own DumpLogSegments over partitions' files and judges what it says. */
import assert from 'node:assert/strict'
import { capture } from './children.ts'
import { javaArguments } from './clients.ts'
import { partitionFiles } from './log-folder.ts'

/** What it says of the gaps that compaction leaves between offsets: that is all in order. */
const GAPS = /^Non-consecutive offsets in .*\n( {2}\d+ is followed by \d+\n)+/gm

async function dump(files: string[], flags: string[], mayHaveGaps = false): Promise<string> {
  const args = [...flags, '--files', files.join(',')]
  const { code, output, errors } = await capture(
    'java',
    javaArguments('kafka.tools.DumpLogSegments', args),
  )
  const said = `DumpLogSegments ${flags.join(' ')}`
  assert.equal(code, 0, `${said} ended with ${code}: ${errors}`)
  // Everything it finds wrong with an index, a snapshot or the order of offsets goes here.
  assert.equal(mayHaveGaps ? errors.replace(GAPS, '') : errors, '', said)
  assert.doesNotMatch(output, /isvalid: false|invalid bytes|Exception/i, said)
  return output
}

export interface Dumped {
  segments: number
  batches: number
  records: number
  indexEntries: number
  timeIndexEntries: number
  producers: number
  abortedTransactions: number
}

/** What the tool says of each file, by the file's path: it announces each one. */
function sections(output: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const section of output.split(/^Dumping /m).slice(1)) {
    const end = section.indexOf('\n')
    found.set(section.slice(0, end), section.slice(end + 1))
  }
  return found
}

const matches = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length

/**
 * Dumps all files of some partitions; throws if anything in them is not as Kafka wants it. Few runs
 * of the tool over many files, since most of its time goes into starting Java.
 */
export async function dumpPartitions(
  dataFolder: string,
  partitions: string[],
  { areCompacted = false } = {},
): Promise<Map<string, Dumped>> {
  const files = (...endings: string[]): string[] =>
    partitions.flatMap((name) => endings.flatMap((end) => partitionFiles(dataFolder, name, end)))
  const deep = sections(await dump(files('.log'), ['--deep-iteration'], areCompacted))
  const indexes = files('.index', '.timeindex')
  const indexed = sections(await dump(indexes, []))
  const sane = sections(await dump(indexes, ['--index-sanity-check']))
  for (const index of indexes) {
    assert.match(sane.get(index) ?? '', /passed sanity check\.|is empty\./, index)
  }
  const others = files('.snapshot', '.txnindex')
  const states = others.length > 0 ? sections(await dump(others, [])) : new Map<string, string>()
  return new Map(
    partitions.map((partition) => {
      const count = (said: Map<string, string>, ending: string, pattern: RegExp): number =>
        partitionFiles(dataFolder, partition, ending)
          .map((path) => matches(said.get(path) ?? '', pattern))
          .reduce((sum, one) => sum + one, 0)
      return [
        partition,
        {
          segments: partitionFiles(dataFolder, partition, '.log').length,
          batches: count(deep, '.log', /^baseOffset: /gm),
          records: count(deep, '.log', /^\| offset: /gm),
          indexEntries: count(indexed, '.index', /^offset: /gm),
          timeIndexEntries: count(indexed, '.timeindex', /^timestamp: /gm),
          producers: count(states, '.snapshot', /^producerId: /gm),
          abortedTransactions: count(states, '.txnindex', /^version: /gm),
        },
      ]
    }),
  )
}
