/** What a cluster means for the process that it is in. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const scratch = mkdtempSync(join(tmpdir(), 'samsa-test-'))
after(() => rmSync(scratch, { recursive: true }))

const source = (path: string) => join(import.meta.dirname, '../../src', path)

/** Runs a program to its end, which must come by itself and well. */
function run(program: string): Promise<string> {
  const imports = `import { TestCluster } from ${JSON.stringify(source('testing/index.ts'))}
    import { Admin } from ${JSON.stringify(source('clients/index.ts'))}`
  const args = ['--input-type=module', '--eval', `${imports}\n${program}`]
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

test('a process does not end within a stop that waits for answers to leave', async () => {
  const output = await run(`
    import net from 'node:net'
    import { encodeRequestFrame } from ${JSON.stringify(source('protocol/header.ts'))}
    import { Fetch } from ${JSON.stringify(source('protocol/messages/fetch.ts'))}
    const kafka = await TestCluster.start({ topics: { t: {} } })
    const fault = kafka.faults.delay('Fetch', { ms: 0 })
    const socket = net.connect({ port: Number(kafka.bootstrapServers.split(':')[1]) })
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
    const request = { maxWaitMs: 60_000, minBytes: 1, topics: [{ topic: 't', partitions }] }
    const header = { correlationId: 1, clientId: 'x' }
    socket.write(encodeRequestFrame(Fetch, 11, header, request))
    await fault.waitForHit()
    socket.unref()
    await new Promise((resolve) => setTimeout(resolve, 20))
    await kafka.stop()
    console.log('stopped')
  `)
  assert.equal(output, 'stopped\n')
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
