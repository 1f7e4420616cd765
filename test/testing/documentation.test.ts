/** What docs/testing.md shows does what it says. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import * as clients from '../../src/clients/index.ts'
import { TestCluster } from '../../src/testing/index.ts'

const root = join(import.meta.dirname, '../..')
const text = readFileSync(join(root, 'docs/testing.md'), 'utf8')
const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!)
const programs = blocks.filter((code) => code.startsWith('import'))
const fragments = blocks.filter((code) => !code.startsWith('import'))

type Fragment = (scope: Record<string, unknown>) => Promise<void>

/** A function of what a reader would have at hand, except what the fragment makes itself. */
function asFunction(code: string): Fragment {
  const names = [...Object.keys(clients), 'assert', 'TestCluster', 'kafka']
  const given = names.filter((name) => !code.includes(`using ${name} `)).join(', ')
  return new Function(`return async ({ ${given} }) => {\n${code}\n}`)() as Fragment
}

test('the page has examples', () => {
  assert.equal(programs.length, 1)
  assert.ok(fragments.length >= 6)
})

for (const [index, code] of fragments.entries()) {
  test(`fragment ${index + 1}: ${code.split('\n', 1)[0]}`, async () => {
    const topics = { orders: { partitions: 3 } }
    await using kafka = await TestCluster.start({ topics })
    await asFunction(code)({ ...clients, assert, TestCluster, kafka })
  })
}

test('the tests at the top pass', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'samsa-test-'))
  try {
    const file = join(folder, 'top.test.ts')
    const source = programs[0]!.replace('samsa/testing', join(root, 'src/testing/index.ts'))
    writeFileSync(file, source)
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const run = promisify(execFile)(process.execPath, ['--test', file], { env })
    const { stdout } = await run
    assert.match(stdout, /pass 1\n/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
