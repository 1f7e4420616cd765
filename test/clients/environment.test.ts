import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

test('a process does not end over a call that waits to be made again', () => {
  const clients = join(import.meta.dirname, '../../src/clients/index.ts')
  const program = `
    import { Admin } from ${JSON.stringify(clients)}
    const admin = new Admin({ bootstrapServers: '127.0.0.1:1', defaultApiTimeoutMs: 300 })
    await admin.listTopics().catch((error) => console.log(error.errorName))
    admin.close()
  `
  const options = ['--input-type=module', '-e', program]
  const { status, stdout } = spawnSync(process.execPath, options, { encoding: 'utf8' })
  assert.deepEqual([status, stdout], [0, 'REQUEST_TIMED_OUT\n'])
})
