/**
 * The shape of the house, as a test: which layer may import which, what reaches the machine, and
 * how long lines, functions and files may be. Changing the table is a design decision, for which
 * ARCHITECTURE.md has the reasons.
 *
 * The limits are not laws of nature. What is over them stands in RATCHET with its present size: it
 * may shrink, and then its entry must, but not grow.
 */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { after, test } from 'node:test'
import { readSources, type SourceInfo } from './tidy/source-files.ts'

interface Layer {
  /** Layers whose files may be imported. A layer may always import itself. */
  readonly may: readonly string[]
  /** Packages that may be imported. */
  readonly packages?: readonly string[]
  /** Whether it may use `node:` modules, the clock, timers, randomness and the process itself. */
  readonly machine?: boolean
}

const SERVER_SIDE = [
  'src/common',
  'src/protocol',
  'src/network',
  'src/storage',
  'src/metadata',
  'src/coordinator',
]
const CLIENT_SIDE = ['src/common', 'src/clients']
const ALL = [
  ...SERVER_SIDE,
  'src/server',
  'src/clients',
  'src/streams',
  'src/connect',
  'src/gateway',
  'src/testing',
  'src/tools',
]

/** By folder. */
const LAYERS: Readonly<Record<string, Layer>> = {
  'src/common': { may: [], machine: true },
  'src/protocol': { may: ['src/common'] },
  'src/network': { may: ['src/common', 'src/protocol'] },
  'src/storage': { may: ['src/common', 'src/protocol'] },
  'src/metadata': { may: ['src/common'] },
  'src/coordinator': { may: ['src/common', 'src/protocol'] },
  'src/server': { may: SERVER_SIDE },
  'src/clients': { may: ['src/common', 'src/protocol', 'src/network'] },
  'src/streams': { may: CLIENT_SIDE },
  'src/connect': { may: CLIENT_SIDE },
  'src/gateway': { may: CLIENT_SIDE, machine: true, packages: ['fastify'] },
  'src/testing': { may: ['src/common', 'src/protocol', 'src/server', 'src/clients'] },
  'src/tools': { may: ALL, machine: true, packages: ['commander'] },
  sim: { may: ALL, packages: ['fast-check'] },
  test: {
    may: [...ALL, 'sim', 'bench', 'check'],
    machine: true,
    packages: ['fast-check', 'typescript'],
  },
  bench: { may: [...ALL, 'test'], machine: true, packages: ['@node-rs/crc32'] },
  check: { may: ['test', 'src/clients'], machine: true },
  examples: { may: [], packages: ['samsa'], machine: true },
  scripts: { may: ALL, machine: true, packages: ['esbuild'] },
}

/** Globals through which a program reaches its machine, and what to use instead. */
const MACHINE_GLOBALS: Readonly<Record<string, string>> = {
  'Date.now': 'clock.now()',
  'Date()': 'clock.now()',
  'new Date()': 'new Date(clock.now())',
  performance: 'clock.monotonic()',
  setTimeout: 'clock.schedule',
  setInterval: 'scheduleEvery of common/clock.ts',
  setImmediate: 'clock.schedule(0, …)',
  'Math.random': 'the Random that came through the constructor',
  crypto: 'the Random that came through the constructor, or a hash of src/common',
  process: 'an argument: only the program that starts the broker knows its process',
  console: 'the Logger that came through the constructor',
  fetch: 'the Network that came through the constructor',
  WebSocket: 'the Network that came through the constructor',
}

/** Files that use something of the machine all the same, and why they must. */
const MACHINE_EXCEPTIONS: Readonly<Record<string, { uses: readonly string[]; why: string }>> = {
  'sim/event-loop.ts': {
    uses: ['setImmediate'],
    why: 'the simulator waits for real promises to settle between two steps',
  },
  'sim/run.ts': {
    uses: ['process', 'console'],
    why: 'it is a program, which has arguments and an output',
  },
}

const MAX_LINE_COLUMNS = 100
const MAX_FILE_LINES = 500
const MAX_FUNCTION_LINES = 70
/** Files longer than this open with a comment that states their contract. */
const SMALL_FILE_LINES = 40

/** Present sizes of what is over a limit: a path's lines, or a function's as `path#name`. */
const RATCHET: Readonly<Record<string, number>> = {
  // Lists of small tests, to be read one by one.
  'test/metadata/metadata-store-contract.ts#testNodes': 100,
  'test/metadata/metadata-store-contract.ts#testWatches': 93,
  // A table: a request for every API.
  'test/server/versions.test.ts#requestOf': 200,
}

const FILE_NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*\.(ts|mjs)$/
const UNFINISHED = new RegExp(`\\b(TO${'DO'}|FIX${'ME'}|XX${'X'})\\b`)

/** Names of globals that the compiler is asked about; what is done with them is told by it. */
const GLOBAL_NAMES = new Set(['globalThis', 'Date', 'Math', ...Object.keys(MACHINE_GLOBALS)])

function layerOf(path: string): string | undefined {
  const [top = '', second = ''] = path.split('/')
  const name = top === 'src' ? `${top}/${second}` : top
  return Object.hasOwn(LAYERS, name) ? name : undefined
}

function layerBreaches(files: readonly SourceInfo[]): string[] {
  const paths = new Set(files.map((file) => file.path))
  return files.flatMap((file) => {
    const name = layerOf(file.path)
    if (name === undefined) {
      return [`${file.path}: belongs to no layer; move it, or add a row to LAYERS`]
    }
    return file.imports.flatMap(({ name: specifier, line }) => {
      const problem = importBreach(file.path, name, specifier, paths)
      return problem === undefined ? [] : [`${file.path}:${line}: ${problem}`]
    })
  })
}

function importBreach(
  path: string,
  layerName: string,
  specifier: string,
  paths: ReadonlySet<string>,
): string | undefined {
  const layer = LAYERS[layerName]!
  if (specifier.startsWith('node:')) {
    if (layer.machine) return undefined
    return `${layerName} must not import ${specifier}: put an interface to it into src/common`
  }
  if (!specifier.startsWith('.')) {
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
    if (layer.packages?.includes(name)) return undefined
    return `${layerName} must not import the package ${name}: see its row in LAYERS`
  }
  const target = posix.join(posix.dirname(path), specifier)
  if (target === 'package.json' && layer.machine) return undefined
  if (!paths.has(target)) return `imports ${specifier}, which is not a file of the project`
  const targetLayer = layerOf(target)
  if (targetLayer === layerName || layer.may.includes(targetLayer ?? '')) return undefined
  return `${layerName} must not import ${targetLayer} (${target}): see LAYERS`
}

function machineBreaches(files: readonly SourceInfo[]): string[] {
  return files.flatMap((file) => {
    const layer = LAYERS[layerOf(file.path) ?? '']
    if (layer === undefined || layer.machine) return []
    const excepted = MACHINE_EXCEPTIONS[file.path]?.uses ?? []
    return file.globals
      .filter(({ name }) => Object.hasOwn(MACHINE_GLOBALS, name) && !excepted.includes(name))
      .map(({ name, line }) => `${file.path}:${line}: uses ${name}; use ${MACHINE_GLOBALS[name]}`)
  })
}

function styleBreaches(files: readonly SourceInfo[]): string[] {
  return files.flatMap((file) => {
    const { path } = file
    const lines = file.text.split('\n')
    const breaches = lines.flatMap((line, index) => {
      const where = `${path}:${index + 1}`
      // A path cannot be broken, and the formatter keeps an import of one name on its line.
      const columns = /^import (type )?\{ \w+ \} from '[^']+'$/.test(line) ? 0 : [...line].length
      return [
        ...(columns > MAX_LINE_COLUMNS ? [`${where}: is ${columns} columns wide; break it`] : []),
        ...(UNFINISHED.test(line) ? [`${where}: is marked unfinished; finish it`] : []),
      ]
    })
    if (!path.split('/').every((part) => FILE_NAME.test(part) || /^[a-z0-9-]+$/.test(part))) {
      breaches.push(`${path}: is not in kebab-case; rename it`)
    }
    const isLong = path.startsWith('src/') && lines.length > SMALL_FILE_LINES
    if (isLong && !/^(#!.*\n)?\/\*\*/.test(file.text)) {
      breaches.push(`${path}: opens without a comment that states its contract; write one`)
    }
    return breaches
  })
}

function stateBreaches(files: readonly SourceInfo[]): string[] {
  return files
    .filter(({ path }) => path.startsWith('src/') && !LAYERS[layerOf(path) ?? '']?.machine)
    .flatMap((file) =>
      file.topLevelVariables.map(
        ({ name, line }) =>
          `${file.path}:${line}: ${name} belongs to the process; two brokers share it. ` +
          'Make it a field of what owns it',
      ),
    )
}

function testBreaches(files: readonly SourceInfo[]): string[] {
  return files.flatMap((file) =>
    file.disabledTests.map(
      ({ name, line }) => `${file.path}:${line}: ${name} keeps tests from running; repair them`,
    ),
  )
}

/** The sizes that are over a limit, by the keys of RATCHET. */
function oversizes(files: readonly SourceInfo[]): Map<string, { size: number; limit: number }> {
  const sizes = new Map<string, { size: number; limit: number }>()
  for (const { path, text, functions } of files) {
    const lines = text.replace(/\n$/, '').split('\n').length
    if (lines > MAX_FILE_LINES) sizes.set(path, { size: lines, limit: MAX_FILE_LINES })
    for (const { name, lines: size } of functions) {
      const key = `${path}#${name}`
      if (size > Math.max(MAX_FUNCTION_LINES, sizes.get(key)?.size ?? 0)) {
        sizes.set(key, { size, limit: MAX_FUNCTION_LINES })
      }
    }
  }
  return sizes
}

function sizeBreaches(
  files: readonly SourceInfo[],
  ratchet: Readonly<Record<string, number>>,
): string[] {
  const sizes = oversizes(files)
  const over = [...sizes].flatMap(([key, { size, limit }]) => {
    const allowed = ratchet[key]
    if (allowed === undefined) {
      return [
        `${key}: has ${size} lines, and ${limit} are allowed. Split it where it holds two ideas; ` +
          'if it is one, give it an entry in RATCHET',
      ]
    }
    if (size > allowed) return [`${key}: grew from ${allowed} to ${size} lines; take some out`]
    return size < allowed ? [`${key}: shrank; lower its entry in RATCHET to ${size}`] : []
  })
  const done = Object.keys(ratchet).filter((key) => !sizes.has(key))
  return [...over, ...done.map((key) => `${key}: is within its limit; remove it from RATCHET`)]
}

const RULES = { layerBreaches, machineBreaches, styleBreaches, stateBreaches, testBreaches }

const root = join(import.meta.dirname, '..')
const specimens = mkdtempSync(join(tmpdir(), 'samsa-tidy-'))
after(() => rmSync(specimens, { recursive: true }))
writeSpecimens(specimens)
const [project, untidy] = readSources(
  [root, specimens].map((folder) => ({ root: folder, config: join(folder, 'tsconfig.json') })),
  GLOBAL_NAMES,
) as [SourceInfo[], SourceInfo[]]

const clean = (breaches: readonly string[]) =>
  assert.equal(breaches.length, 0, `\n${breaches.join('\n')}`)

test('layers import only what is below them', () => clean(layerBreaches(project)))
test('only src/common and programs reach the machine', () => clean(machineBreaches(project)))
test('files are named, introduced and laid out as the others', () => clean(styleBreaches(project)))
test('nothing above src/common belongs to the process', () => clean(stateBreaches(project)))
test('every test runs', () => clean(testBreaches(project)))
test('files and functions are of a size to read', () => clean(sizeBreaches(project, RATCHET)))

test('the table names layers that it has, and exceptions that are needed', () => {
  for (const { may } of Object.values(LAYERS)) {
    for (const name of may) assert.ok(Object.hasOwn(LAYERS, name), name)
  }
  for (const [path, { uses }] of Object.entries(MACHINE_EXCEPTIONS)) {
    const used = project.find((file) => file.path === path)?.globals.map(({ name }) => name)
    for (const name of uses) assert.ok(used?.includes(name), `${path} no longer uses ${name}`)
  }
})

/** A small project in which everything is wrong that can be. */
function writeSpecimens(folder: string): void {
  const files: Record<string, string> = {
    'tsconfig.json': '{ "compilerOptions": { "types": [] }, "include": ["src", "elsewhere"] }',
    'src/common/tool.ts': 'export const tool = () => Date.now()',
    'src/protocol/low.ts': [
      "import { high } from '../storage/high.ts'",
      "import { tool } from '../common/tool.ts'",
      "import fs from 'node:fs'",
      "export * from 'left-pad/lib'",
      "export const late = () => import('./absent.ts')",
      'export const all = [high, tool, fs] // TO' + 'DO',
    ].join('\n'),
    'src/storage/high.ts': [
      'export let high = { process, at: new Date(), then: new Date(0), rolled: Math.random() }',
      'export const fine = (process: { pid: number }) => process.pid + Math.max(1, Date.parse(""))',
      'globalThis.setTimeout(() => performance.now(), 1) // setInterval',
      'describe.only("a", () => {})',
    ].join('\n'),
    'src/storage/BadName.ts': `const long = '${'x'.repeat(90)}'\n${'\n'.repeat(500)}`,
    'src/storage/long.ts': `/** Long. */\nexport function long() {\n${'\n'.repeat(70)}}`,
    'elsewhere/lost.ts': 'export {}',
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

test('the rules find what they are there to find', () => {
  const found = Object.values(RULES).flatMap((rule) => rule(untidy))
  const ratchet = {
    'src/storage/BadName.ts': 600,
    'src/storage/long.ts#long': 71,
    'src/gone.ts': 501,
  }
  const breaches = [...found, ...sizeBreaches(untidy, ratchet)].sort()
  const expected = [
    'elsewhere/lost.ts: belongs to no layer',
    'src/gone.ts: is within its limit',
    'src/protocol/low.ts:1: src/protocol must not import src/storage',
    'src/protocol/low.ts:3: src/protocol must not import node:fs',
    'src/protocol/low.ts:4: src/protocol must not import the package left-pad',
    'src/protocol/low.ts:5: imports ./absent.ts, which is not a file',
    'src/protocol/low.ts:6: is marked unfinished',
    'src/storage/BadName.ts: is not in kebab-case',
    'src/storage/BadName.ts: opens without a comment',
    'src/storage/BadName.ts: shrank; lower its entry in RATCHET to 501',
    'src/storage/BadName.ts:1: is 105 columns wide',
    'src/storage/high.ts:1: high belongs to the process',
    'src/storage/high.ts:1: uses Math.random',
    'src/storage/high.ts:1: uses new Date()',
    'src/storage/high.ts:1: uses process',
    'src/storage/high.ts:3: uses performance',
    'src/storage/high.ts:3: uses setTimeout',
    'src/storage/high.ts:4: describe.only keeps tests from running',
    'src/storage/long.ts#long: grew from 71 to 72 lines',
  ]
  for (const [index, start] of expected.entries()) {
    assert.ok(breaches[index]?.startsWith(start), `${breaches[index]}\nshould be\n${start}`)
  }
  assert.equal(breaches.length, expected.length)
})
