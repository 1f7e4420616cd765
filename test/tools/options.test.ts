import assert from 'node:assert/strict'
import { test } from 'node:test'
import { helpTable } from '../../src/tools/support/help-table.ts'
import { defineOptions, keyValues } from '../../src/tools/support/options.ts'
import { type Tool, ToolError, ToolExit, withTrace } from '../../src/tools/support/tool.ts'
import { runTool } from './support/run-tool.ts'

const OPTIONS = defineOptions({
  about: 'A tool.',
  onUnreadable: 'throw',
  options: {
    server: { argument: 'host:port', about: 'Where to connect to.' },
    count: { type: 'Integer', argument: '# of things', default: '3', about: 'How many.' },
    state: { argument: '', optional: true, availableWith: ['list'], about: 'Its state.' },
    names: { type: 'String', separator: ',', about: 'Names.' },
    list: { about: 'Lists.' },
    old: { about: 'Not shown.', hidden: true },
  },
})

function failure(args: readonly string[], use = (_: ReturnType<typeof OPTIONS.parse>) => {}) {
  try {
    use(OPTIONS.parse(args))
  } catch (error) {
    if (error instanceof ToolError) return `${error.className}: ${error.message}`
    if (error instanceof ToolExit)
      return `${error.exitCode} ${(error.stdout + error.stderr).split('\n')[0]}`
    throw error
  }
  return 'none'
}

test('options are read as joptsimple reads them', () => {
  const options = OPTIONS.parse([
    ...['--server', 'a:1', '-server=b:2', 'stray', '--names', 'x,y', '--names=z', '-list'],
    ...['--count', '-7', '--', '--no-such'],
  ])
  assert.deepEqual(options.values('server'), ['a:1', 'b:2'])
  assert.deepEqual(options.values('names'), ['x', 'y', 'z'])
  assert.equal(options.number('count'), -7)
  assert.ok(options.has('list') && !options.has('state'))
  assert.deepEqual(options.order, ['server', 'server', 'names', 'names', 'list', 'count'])
  assert.equal(OPTIONS.parse(['--list']).number('count'), 3)
})

test('an argument that may be left out is taken if it does not look like an option', () => {
  assert.deepEqual(OPTIONS.parse(['--list', '--state', 'empty']).values('state'), ['empty'])
  assert.deepEqual(OPTIONS.parse(['--state=empty', '--list']).values('state'), ['empty'])
  const without = OPTIONS.parse(['--state', '--list'])
  assert.ok(without.has('state') && without.has('list'))
  assert.deepEqual(without.values('state'), [])
})

test('what is wrong is said in the words of joptsimple', () => {
  assert.equal(
    failure(['--no-such']),
    'joptsimple.UnrecognizedOptionException: no-such is not a recognized option',
  )
  assert.match(failure(['-xyz']), /: x is not a recognized option$/)
  assert.match(failure(['--server']), /: Option server requires an argument$/)
  assert.match(failure(['--server=']), /: Option server requires an argument$/)
  assert.match(
    failure(['--state']),
    /Unavailable.*: Option\(s\) \[state\] are unavailable given other options on the command line$/,
  )
  assert.match(
    failure(['--count', '3x'], (options) => options.number('count')),
    /: Cannot parse argument '3x' of option count$/,
  )
  assert.match(
    failure(['--count', '2147483648'], (options) => options.number('count')),
    /Cannot parse argument/,
  )
  assert.match(
    failure(['--server', 'a', '--server', 'b'], (options) => options.value('server')),
    /: Found multiple arguments for option server, but you asked for only one$/,
  )
  assert.equal(
    failure(['--list'], (options) => options.checkRequired('server')),
    '1 Missing required argument "[server]"',
  )
  assert.equal(
    failure(['--list', '--old'], (options) => options.checkInvalid('list', ['names', 'old'])),
    `1 Option "[list]" can't be used with option "[old]"`,
  )
  assert.equal(
    failure(['--list', '--old'], (options) => options.checkOneOf('list', 'old')),
    '1 Exactly one of the following arguments is required: [list], [old]',
  )
})

test('help and version end the tool', () => {
  assert.equal(failure([]), '1 A tool.')
  assert.equal(failure(['--list', '--help']), '1 A tool.')
  assert.match(failure(['--version']), /^0 4\.\d+\.\d+ \(Samsa \d/)
})

test('the table of options has its columns where joptsimple has them', () => {
  assert.equal(
    helpTable({
      'bootstrap-server': { argument: 'server to connect to', about: 'REQUIRED: Where to.' },
      state: { argument: '', optional: true, about: 'One.\n\tTwo.' },
      'a-rather-long-option': { type: 'Long', argument: 'some number', default: '7', about: 'N' },
    }).replace(/ +$/gm, ''),
    `Option                                   Description
------                                   -----------
--a-rather-long-option <Long: some       N (default: 7)
  number>
--bootstrap-server <String: server to    REQUIRED: Where to.
  connect to>
--state [String]                         One.
                                         \tTwo.
`,
  )
  assert.equal(
    helpTable({ x: { about: 'An explanation that is too long for one line, so it is broken.' } }),
    // Narrow names leave more room, and every line is as wide as the table.
    `Option  ${'Description'.padEnd(72)}
------  ${'-----------'.padEnd(72)}
--x     ${'An explanation that is too long for one line, so it is broken.'.padEnd(72)}
`,
  )
})

test('a tool that fails says so as Kafka’s does', async () => {
  const failing: Tool = withTrace(async (_args, io) => {
    io.stdout.write('begun\n')
    throw new ToolError('no such thing', { className: 'java.lang.IllegalArgumentException' })
  })
  assert.deepEqual(await runTool(failing, []), {
    code: 1,
    stdout: 'begun\n',
    stderr: 'no such thing\njava.lang.IllegalArgumentException: no such thing\n\n',
  })
})

test('properties on the command line', () => {
  const found = keyValues(['a=b', 'c=d=e', 'f'])
  assert.deepEqual(
    [...found],
    [
      ['a', 'b'],
      ['c', 'd=e'],
      ['f', ''],
    ],
  )
})
