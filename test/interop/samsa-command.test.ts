/** The `samsa` command, as it is installed, against a broker of either kind. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBroker } from './harness/broker.ts'
import { paths } from './harness/paths.ts'
import { createWorkspace } from './harness/workspace.ts'

test('topics, records, groups and the cluster', async (t) => {
  const workspace = createWorkspace(t)
  const broker = await startBroker(workspace, { dataFolder: workspace.path('data') })
  const launcher = join(paths.repository, 'bin/samsa.mjs')
  const samsa = (args: string, input = '') => {
    const env = { ...process.env, SAMSA_BROKERS: broker.address, NO_COLOR: '1' }
    const words = [launcher, ...args.split(' ')]
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { env, input })
    assert.equal(status, 0, `samsa ${args}: ${stderr}${stdout}`)
    return stdout.toString()
  }
  const lines = (text: string) => text.split('\n').filter(Boolean)

  assert.equal(samsa('topic create a -p 2 -c retention.ms=-1'), 'Created topic a\n')
  const told = samsa('topic produce a -f %k,%v -z gzip', 'k1,v1\nk2,v2\nk3,v3\nk4,v4\n')
  assert.equal(lines(told).length, 4)
  const all = lines(samsa('topic consume a -e -f %p:%o,%k,%v\\n')).sort()
  assert.deepEqual(all.map((line) => line.split(',')[2]).sort(), ['v1', 'v2', 'v3', 'v4'])
  const copied = samsa('topic consume a -e --json')
  samsa('topic produce b -i json -q', copied)
  assert.equal(lines(samsa('topic consume b -e -o @-1h')).length, 4)
  assert.equal(samsa('topic consume b -e -o end'), '')

  assert.equal(lines(samsa('topic consume a -g g -n 3')).length, 3)
  const [group] = JSON.parse(samsa('group describe g --json'))
  assert.equal(group.totalLag, 1)
  assert.match(samsa('group list'), /^g +\S+ +Empty$/m)
  samsa('group seek g --to end')
  assert.match(samsa('group describe g --summary'), /^LAG +0$/m)

  const [a] = JSON.parse(samsa('topic describe a --json'))
  assert.deepEqual(a.configs, { 'retention.ms': '-1' })
  samsa('topic trim a -o end')
  assert.equal(samsa('topic consume a -e'), '')
  assert.match(samsa('cluster health'), /^HEALTHY +yes$/m)
  assert.match(samsa('cluster info'), /^1\*/m)
  assert.deepEqual(lines(samsa('__complete -- topic describe ')), ['a', 'b'])
  samsa('group delete g')
  samsa('topic delete a b')
  assert.equal(lines(samsa('topic list')).length, 1)
})
