/**
 * `kafka-dump-log.sh`: prints the files of a partition, and says what is wrong with them.
 *
 * Broker and tool do not disturb each other: the files are opened for reading only, and the end of
 * a log that is being written to is taken as it is.
 */
import { basename, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import {
  baseOffsetOf,
  type DumpIndexOptions,
  dumpOffsetIndex,
  dumpProducerSnapshot,
  dumpTimeIndex,
  dumpTransactionIndex,
  TimeIndexErrors,
} from './dump-log/dump-indexes.ts'
import { type DumpSegmentOptions, dumpSegment, type OffsetGap } from './dump-log/dump-segment.ts'
import { bytesDecoder, coordinatorDecoder, type RecordDecoder } from './dump-log/record-decoders.ts'
import { defineOptions } from './support/options.ts'
import { printLine, type Tool, ToolError, type ToolIo } from './support/tool.ts'
import { withClassName } from './support/tool-log.ts'

const STRING_DECODER = 'org.apache.kafka.tools.api.StringDecoder'
const MAX_INTEGER = 2 ** 31 - 1
/** Lines are written in pieces of about this many characters. */
const OUTPUT_PIECE = 64 * 1024

const OPTIONS = defineOptions({
  about:
    'This tool helps to parse a log file and dump its contents to the console, useful for ' +
    'debugging a seemingly corrupt log segment.',
  onUnreadable: 'throw',
  options: {
    'print-data-log': {
      about: 'Shows the keys and values of records as well. Any decoder option implies it.',
    },
    'verify-index-only': { about: 'Checks indexes against their log, and prints no entries.' },
    'index-sanity-check': {
      about: 'Checks indexes only as a broker does when it starts.',
    },
    files: {
      argument: 'file1, file2, ...',
      type: 'String',
      about: 'REQUIRED: The files to dump: logs, their indexes and snapshots, with commas between.',
    },
    'max-message-size': {
      argument: 'size',
      type: 'Integer',
      default: String(5 * 1024 * 1024),
      about: 'The size of the largest batch, in bytes.',
    },
    'max-bytes': {
      argument: 'size',
      type: 'Integer',
      default: String(MAX_INTEGER),
      about: 'How much of each log is read, in bytes.',
    },
    'deep-iteration': {
      about: 'Prints the records in the batches. Showing keys and values implies it.',
    },
    'value-decoder-class': {
      type: 'String',
      optional: true,
      default: STRING_DECODER,
      about:
        'How values are shown: as StringDecoder, IntegerDecoder, LongDecoder or DefaultDecoder ' +
        '(bytes) of the package org.apache.kafka.tools.api does.',
    },
    'key-decoder-class': {
      type: 'String',
      optional: true,
      default: STRING_DECODER,
      about: 'How keys are shown: see value-decoder-class.',
    },
    'offsets-decoder': { about: 'Shows records as what is in the topic __consumer_offsets.' },
    'transaction-log-decoder': {
      about: 'Shows records as what is in the topic __transaction_state.',
    },
    'cluster-metadata-decoder': {
      about: 'For the metadata log of a KRaft cluster, which there is none of here.',
    },
    'remote-log-metadata-decoder': {
      about: 'For the metadata of tiered storage, which there is none of here.',
    },
    'share-group-state-decoder': {
      about: 'Shows records as what is in the topic __share_group_state.',
    },
    'skip-record-metadata': {
      about: 'Leaves out what belongs to records beside key and value, and control records.',
    },
  },
})

type Parsed = ReturnType<typeof OPTIONS.parse>

const DECODER_OPTIONS = [
  'offsets-decoder',
  'transaction-log-decoder',
  'cluster-metadata-decoder',
  'remote-log-metadata-decoder',
  'share-group-state-decoder',
  'value-decoder-class',
  'key-decoder-class',
] as const

function decoderOf(options: Parsed): RecordDecoder | undefined {
  const isWanted = options.has('print-data-log') || DECODER_OPTIONS.some(options.has)
  if (!isWanted) return undefined
  if (options.has('offsets-decoder')) return coordinatorDecoder('group')
  if (options.has('transaction-log-decoder')) return coordinatorDecoder('transaction')
  for (const name of ['cluster-metadata-decoder', 'remote-log-metadata-decoder'] as const) {
    if (options.has(name)) {
      throw new ToolError(`--${name} is not supported: Samsa writes no such records.`)
    }
  }
  if (options.has('share-group-state-decoder')) return coordinatorDecoder('share')
  return bytesDecoder(
    options.required('key-decoder-class'),
    options.required('value-decoder-class'),
  )
}

/** What is found wrong, to be told when all files are done. */
class Findings {
  readonly indexMismatches = new Map<string, (readonly [index: number, log: number])[]>()
  readonly timeIndexErrors = new TimeIndexErrors()
  readonly gaps = new Map<string, OffsetGap[]>()

  lines(): string[] {
    const mismatches = [...this.indexMismatches].flatMap(([path, pairs]) => [
      `Mismatches in :${path}`,
      ...pairs.map(([index, log]) => `  Index offset: ${index}, log offset: ${log}`),
    ])
    const gaps = [...this.gaps].flatMap(([path, pairs]) => [
      `Non-consecutive offsets in ${path}`,
      ...pairs.map(([offset, next]) => `  ${offset} is followed by ${next}`),
    ])
    return [...mismatches, ...this.timeIndexErrors.lines(), ...gaps]
  }
}

interface DumpOptions {
  readonly segment: DumpSegmentOptions
  readonly index: DumpIndexOptions
}

function* dumpFile(
  path: string,
  options: DumpOptions,
  findings: Findings,
  complain: (line: string) => void,
): Generator<string> {
  yield `Dumping ${path}`
  const absolute = resolve(path)
  switch (/\.[^./]*$/.exec(basename(path))?.[0]) {
    case '.log': {
      yield `Log starting offset: ${baseOffsetOf(path)}`
      const gaps: OffsetGap[] = []
      yield* dumpSegment(path, options.segment, gaps)
      if (gaps.length > 0) findings.gaps.set(absolute, gaps)
      break
    }
    case '.index': {
      const { indexMismatches } = findings
      yield* dumpOffsetIndex(path, options.index, (index, log) => {
        // The last one found comes first.
        const pairs = indexMismatches.get(absolute) ?? []
        indexMismatches.set(absolute, [[index, log], ...pairs])
      })
      break
    }
    case '.timeindex':
      yield* dumpTimeIndex(path, options.index, findings.timeIndexErrors)
      break
    case '.snapshot':
      yield* dumpProducerSnapshot(path, complain)
      break
    case '.txnindex':
      yield* dumpTransactionIndex(path)
      break
    default:
      complain(`Ignoring unknown file ${path}`)
  }
}

/** Writes lines in large pieces; ends early when nobody wants more. */
async function print(lines: Iterable<string>, io: ToolIo): Promise<void> {
  let piece = ''
  try {
    for (const line of lines) {
      piece += `${line}\n`
      if (piece.length < OUTPUT_PIECE) continue
      io.stdout.write(piece)
      piece = ''
      await setImmediate()
      if (io.signal.aborted) return
    }
  } finally {
    if (piece !== '') io.stdout.write(piece)
  }
}

export const kafkaDumpLog: Tool = withClassName(async (args, io) => {
  const options = OPTIONS.parse(args)
  options.checkRequired('files')
  const decoder = decoderOf(options)
  const maxBytes = Number(options.required('max-bytes'))
  const dumpOptions: DumpOptions = {
    segment: {
      decoder,
      isDeep: options.has('deep-iteration') || decoder !== undefined,
      skipRecordMetadata: options.has('skip-record-metadata'),
      maxBytes: maxBytes === MAX_INTEGER ? Number.POSITIVE_INFINITY : maxBytes,
    },
    index: {
      sanityOnly: options.has('index-sanity-check'),
      verifyOnly: options.has('verify-index-only'),
      maxMessageSize: Number(options.required('max-message-size')),
    },
  }
  const findings = new Findings()
  const complain = (line: string) => printLine(io.stderr, line)
  for (const file of options.required('files').split(',')) {
    const path = file.replace(/\/+/g, '/')
    await print(dumpFile(path, dumpOptions, findings, complain), io)
    if (io.signal.aborted) return 1
  }
  for (const line of findings.lines()) complain(line)
  return 0
})
