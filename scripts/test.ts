/**
 * `npm test`: every test that needs nothing but Node. Suites that need other clients or languages
 * are `npm run test:interop`. Arguments are passed on to Node's test runner.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const NEEDS_MORE = ['interop']

const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .filter((file) => !NEEDS_MORE.some((folder) => file.startsWith(`${folder}/`)))
  .map((file) => join('test', file))
  .sort()

const { status } = spawnSync(process.execPath, ['--test', ...process.argv.slice(2), ...files], {
  cwd: root,
  stdio: 'inherit',
})
process.exitCode = status ?? 1
