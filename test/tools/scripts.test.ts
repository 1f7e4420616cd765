/** The scripts with the names of Kafka's, and the programs with which npm stands in for them. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { TOOLS } from '../../src/tools/main.ts'

const bin = join(import.meta.dirname, '../../bin')
const names = ['kafka-server-start', ...Object.keys(TOOLS)].sort()

test('every tool has a script and a program of its name', () => {
  const found = (folder: string, ending: string) =>
    readdirSync(folder)
      .filter((name) => name.startsWith('kafka-') && name !== 'kafka-run.sh')
      .filter((name) => name.endsWith(ending))
      .map((name) => name.slice(0, -ending.length))
  assert.deepEqual(found(bin, '.sh').sort(), names)
  assert.deepEqual(found(join(bin, 'npm'), '.mjs').sort(), names)
  for (const name of names) {
    assert.ok(readFileSync(join(bin, `${name}.sh`), 'utf8').includes(`kafka-run.sh" ${name} "$@"`))
    assert.ok(readFileSync(join(bin, 'npm', `${name}.mjs`), 'utf8').includes(`'${name}'`))
  }
})

/** Runs a command from the sources, as a process. */
function run(...args: string[]) {
  const main = join(import.meta.dirname, '../../src/tools/main.ts')
  const program = `import { main } from ${JSON.stringify(main)}; await main(process.argv.slice(1))`
  const options = ['--input-type=module', '-e', program, '--', ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, options, { encoding: 'utf8' })
  return { status, stdout, stderr }
}

test('a process ends with the exit code of its tool, and has written everything', () => {
  assert.deepEqual(run('kafka-get-offsets.sh', '--no-such'), {
    ...{ status: 1, stdout: '' },
    stderr: 'Error occurred: no-such is not a recognized option\n',
  })
  const version = run('kafka-get-offsets', '--version')
  assert.deepEqual([version.status, version.stderr], [0, ''])
  assert.match(version.stdout, /^4\.\d+\.\d+ \(Samsa .*\)\n$/)
  // While it tries again to connect, nothing else would keep the process alive.
  const hasty = join(mkdtempSync(join(tmpdir(), 'samsa-scripts-')), 'hasty.properties')
  writeFileSync(hasty, 'default.api.timeout.ms=500\n')
  const server = ['--bootstrap-server', '127.0.0.1:1', '--command-config', hasty]
  const unreachable = run('kafka-topics', '--list', ...server)
  rmSync(dirname(hasty), { recursive: true })
  assert.equal(unreachable.status, 1)
  assert.match(unreachable.stdout, /Timed out waiting for a node assignment\. Call: listTopics\n$/)
  assert.match(unreachable.stderr, /WARN Connection to 127\.0\.0\.1:1 could not be established/)
})

test('what is no command is said to be none', () => {
  for (const name of ['kafka-nothing', 'constructor']) {
    const { status, stderr } = run(name)
    assert.equal(status, 1)
    assert.match(stderr, new RegExp(`^samsa: there is no command '${name}'\n`))
  }
})
