import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { serverStop } from '../../src/tools/kafka-server-stop.ts'
import { listProcesses, type RunningProcess } from '../../src/tools/server-processes.ts'
import { runTool } from './support/run-tool.ts'

const folder = mkdtempSync(join(tmpdir(), 'samsa-stop-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'two.properties'), 'node.id=2\nprocess.roles=broker,controller\n')

const SERVERS: readonly RunningProcess[] = [
  { pid: 11, args: ['/usr/bin/node', '/app/bin/samsa.mjs', 'start', '--override', 'a=b'] },
  { pid: 12, args: ['node', '--no-warnings', '/app/bin/samsa.mjs', 'kafka-server-start'] },
  { pid: 13, args: ['node', 'x/samsa.mjs', 'kafka-server-start', 'two.properties'], folder },
  { pid: 14, args: ['node', 'samsa.mjs', 'kafka-server-start.sh', join(folder, 'two.properties')] },
  { pid: 15, args: ['node', '/app/bin/samsa.mjs', 'start', '--override', 'node.id=7'] },
]
const OTHERS: readonly RunningProcess[] = [
  { pid: 21, args: ['node', '/app/bin/samsa.mjs', 'kafka-topics', 'start'] },
  { pid: 22, args: ['vim', 'samsa.mjs', 'start'] },
  { pid: 23, args: ['node', 'other.js', 'samsa.mjs', 'start'] },
  { pid: 24, args: ['sh', '-c', 'node samsa.mjs start'] },
  { pid: 25, args: [''] },
]

async function stop(processes: readonly RunningProcess[], ...args: string[]) {
  const signals: string[] = []
  const tool = serverStop({
    listProcesses: () => processes,
    signal: (pid, signal) => signals.push(`${pid} ${signal}`),
  })
  return { ...(await runTool(tool, args)), signals }
}

test('every broker is stopped, and nothing else', async () => {
  const { code, stdout, signals } = await stop([...SERVERS, ...OTHERS])
  assert.deepEqual([code, stdout], [0, ''])
  assert.deepEqual(
    signals,
    [11, 12, 13, 14, 15].map((pid) => `${pid} SIGTERM`),
  )
})

test('a broker can be named by its id or its role', async () => {
  assert.deepEqual((await stop(SERVERS, '--node-id=2')).signals, ['13 SIGTERM', '14 SIGTERM'])
  assert.deepEqual((await stop(SERVERS, '--node-id', '7')).signals, ['15 SIGTERM'])
  const role = await stop(SERVERS, '--process-role=broker')
  assert.deepEqual(role.signals, ['11 SIGTERM', '12 SIGTERM', '15 SIGTERM'])
  const both = await stop(SERVERS, '--process-role=broker', '--node-id=2')
  assert.match(both.stdout, /^When both node-id and process-role are provided/)
  assert.equal(both.signals.length, 2)
  assert.deepEqual((await stop(SERVERS, '--node-id=22')).signals, [])
})

test('without a broker, or without its configuration, it says so and fails', async () => {
  const none = await stop(OTHERS)
  assert.deepEqual([none.code, none.stdout], [1, 'No kafka server to stop\n'])
  const lost = { pid: 31, args: ['node', 'samsa.mjs', 'kafka-server-start', 'gone.properties'] }
  const unknown = await stop([lost, ...SERVERS], '--node-id=2')
  assert.equal(unknown.code, 1)
  assert.match(unknown.stdout, /^Can not find the configuration file/)
  assert.deepEqual(unknown.signals, [])
})

test('the processes of the machine are listed with their command lines', () => {
  const own = listProcesses().find(({ pid }) => pid === process.pid)
  assert.ok(
    own?.args.some((arg) => arg.includes('server-stop.test')),
    String(own?.args),
  )
})
