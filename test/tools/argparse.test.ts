import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ParserSpec, parseArguments } from '../../src/tools/support/argparse.ts'
import { ToolError, ToolExit } from '../../src/tools/support/tool.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const SPEC: ParserSpec = {
  program: 'example',
  description: 'Does this and that.',
  defaultHelp: true,
  filePrefix: '@',
  arguments: [
    { flags: ['--server', '-s'], required: true, metavar: 'HOST', help: 'where to' },
    { flags: ['--retries'], type: 'Integer', default: 3 },
    { flags: ['--verbose'], action: 'storeTrue' },
    { flags: ['--level'], choices: ['low', 'high'] },
  ],
  commands: {
    parsers: {
      copy: {
        help: 'copy something',
        arguments: [
          {
            exclusive: true,
            required: true,
            group: [{ flags: ['--from-file'] }, { flags: ['--from-list'], takesMany: true }],
          },
          { flags: ['--tag'], action: 'append' },
        ],
      },
      compare: { arguments: [] },
    },
  },
}

const parse = (...args: string[]) => parseArguments(SPEC, args)

/** What a user sees of a command line that makes no sense, without the usage. */
function problemOf(...args: string[]): string {
  try {
    parse(...args)
  } catch (error) {
    assert.ok(error instanceof ToolError, String(error))
    const [, problem] = /example: error: (.*)$/s.exec(error.message) ?? []
    return problem ?? error.message
  }
  return 'none'
}

test('values come before and after the command, in every spelling', () => {
  const parsed = parse(
    ...['-s', 'a:1', '--retries=-1', '--verb', 'copy'],
    ...['--from-l', 'x', 'y', '--tag', '1', '--tag=2'],
  )
  assert.equal(parsed.command, 'copy')
  assert.equal(parsed.string('server'), 'a:1')
  assert.equal(parsed.number('retries'), -1)
  assert.equal(parsed.flag('verbose'), true)
  assert.deepEqual(parsed.list('from_list'), ['x', 'y'])
  assert.deepEqual(parsed.list('tag'), ['1', '2'])
  assert.equal(parsed.has('from_file'), false)
  assert.equal(parse('-s', 'a', 'compare').number('retries'), 3)
})

test('a file may have arguments, one a line', (t) => {
  const path = join(temporaryFolder(t), 'arguments')
  writeFileSync(path, '--server\na b\n')
  assert.equal(parse(`@${path}`, 'compare').string('server'), 'a b')
  assert.equal(problemOf('@/absent'), "Could not read arguments from file '/absent'")
})

test('what is wrong is said in the words of argparse4j', () => {
  const server = ['--server', 'a']
  const problems: [args: string[], problem: string][] = [
    [[], 'too few arguments'],
    [['compare'], 'argument --server/-s is required'],
    [['--server'], 'argument --server/-s: expected one argument'],
    [[...server, 'comp'], 'none'],
    [[...server, 'co'], 'ambiguous command: co could match compare, copy'],
    [[...server, 'compare', 'x'], "unrecognized arguments: 'x'"],
    [[...server, '--verbose=1', 'copy'], "argument --verbose: ignore implicit argument '1'"],
    [
      [...server, '--retries', '1.5', 'copy'],
      `argument --retries: could not convert '1.5' to Integer (For input string: "1.5")`,
    ],
    [
      [...server, '--level', 'mid', 'copy'],
      "argument --level: invalid choice: 'mid' (choose from {low,high})",
    ],
    [[...server, 'copy'], 'one of the arguments --from-file --from-list is required'],
    [
      [...server, 'copy', '--from-file', 'a', '--from-list', 'b'],
      'argument --from-list: not allowed with argument --from-file',
    ],
    [
      [...server, 'copy', '--from', 'a'],
      'ambiguous option: --from could match --from-file, --from-list',
    ],
  ]
  for (const [args, problem] of problems) {
    // Long messages are broken into lines that are stretched to the same width.
    assert.equal(problemOf(...args).replace(/\s+/g, ''), problem.replaceAll(' ', ''))
  }
  const similar = problemOf(...server, 'cpoy')
  assert.match(similar, /\n\nDid you mean:\n\tcopy$/)
})

test('the usage is laid out in lines of 75 columns', () => {
  const shown = (...args: string[]): string => {
    try {
      parse(...args)
    } catch (error) {
      assert.ok(error instanceof ToolExit)
      assert.equal(error.exitCode, 1)
      return error.stdout
    }
    throw new Error('no help')
  }
  assert.equal(
    shown('--help'),
    `usage: example [-h] --server HOST [--retries RETRIES] [--verbose]
               [--level {low,high}] {copy,compare} ...

Does this and that.

positional arguments:
  {copy,compare}
    copy                 copy something

optional arguments:
  -h, --help             show this help message and exit
  --server HOST, -s HOST
                         where to
  --retries RETRIES      (default: 3)
  --verbose              (default: false)
  --level {low,high}
`,
  )
  assert.match(
    shown('--server', 'a', 'copy', '-h'),
    /^usage: example --server HOST copy \[-h\] \[--tag TAG\] \(--from-file FROM_FILE \|\n {15} ?--/,
  )
})
