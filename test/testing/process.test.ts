/** What a cluster means for the process that it is in. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const scratch = mkdtempSync(join(tmpdir(), 'samsa-test-'))
after(() => rmSync(scratch, { recursive: true }))

const testing = join(import.meta.dirname, '../../src/testing/index.ts')
const clients = join(import.meta.dirname, '../../src/clients/index.ts')

/** Runs a program to its end, which must come by itself and well. */
function run(program: string): Promise<string> {
  const source = `import { TestCluster } from ${JSON.stringify(testing)}
    import { Admin } from ${JSON.stringify(clients)}
    ${program}`
  const args = ['--input-type=module', '--eval', source]
  const options = { env: { ...process.env, TMPDIR: scratch }, timeout: 60_000 }
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`${error.message}\n${stderr}`))
      else resolve(stdout)
    })
  })
}

test('a process that forgets to stop its cluster ends, but not within a call', async () => {
  const output = await run(`
    const kafka = await TestCluster.start({
      topics: { t: {} }, storage: 'temporary folder', config: { 'log.flush.interval.ms': 1000 },
    })
    await kafka.produce('t', ['a', 'b'])
    const fault = kafka.faults.drop('Metadata')
    await fault.waitForHit({ timeoutMs: 30 }).catch((error) => console.log(error.name))
    await kafka.waitForGroup('g', { timeoutMs: 30 }).catch((error) => console.log(error.name))
    await kafka.advanceTime(1000)
    await kafka.broker(1).kill()
    await kafka.broker(1).restart()
    await kafka.reset()
    await kafka.produce('t', ['a'])
    console.log((await kafka.readTopic('t')).length)
  `)
  assert.deepEqual(output.trim().split('\n'), ['TimeoutError', 'TimeoutError', '1'])
  assert.deepEqual(readdirSync(scratch), [])
})

test('a process ends when the last client is closed, though the cluster is not', async () => {
  const output = await run(`
    const kafka = await TestCluster.start({ topics: { t: {} } })
    const admin = new Admin({ bootstrapServers: kafka.bootstrapServers })
    console.log((await admin.listTopics()).length)
    admin.close()
  `)
  assert.equal(output, '1\n')
})

test('nothing is left in the process when a cluster is stopped', async () => {
  const output = await run(`
    const kinds = () => process.getActiveResourcesInfo().filter((kind) => !/Pipe|TTY/.test(kind))
    const listeners = () => process.eventNames().map((name) => process.listenerCount(name))
    const before = [kinds(), listeners()]
    const kafka = await TestCluster.start({ topics: { t: {} }, storage: 'temporary folder' })
    await kafka.produce('t', ['a'])
    await kafka.readTopic('t')
    await kafka.stop()
    await new Promise((resolve) => setTimeout(resolve, 10))
    console.log(JSON.stringify([before, [kinds(), listeners()]]))
  `)
  const [before, later] = JSON.parse(output)
  assert.deepEqual(later, before)
})
