import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { ConfigError, IllegalStateError } from '../../src/clients/index.ts'
import { type Hook, type TestHooks, useTestCluster } from '../../src/testing/index.ts'
import { valuesOf } from './support.ts'

describe('with the hooks of this runner', () => {
  const kafka = useTestCluster({ before, after, beforeEach }, { topics: { t: {} } })

  for (const round of ['first', 'second', 'third']) {
    test(`the ${round} test finds the topics empty`, async () => {
      await kafka.produce('t', [round])
      assert.deepEqual(await valuesOf(kafka), [round])
    })
  }
})

/** A runner that does when it is told what its hooks were given. */
function scriptedRunner() {
  const registered = new Map<string, () => Promise<void>>()
  const hook = (name: string): Hook => {
    return (action) => registered.set(name, action)
  }
  return { hook, run: (name: string) => registered.get(name)!() }
}

for (const [before, after] of [
  ['before', 'after'],
  ['beforeAll', 'afterAll'],
] as const) {
  test(`a cluster lasts from ${before} to ${after}`, async () => {
    const { hook, run } = scriptedRunner()
    const hooks = { [before]: hook('start'), [after]: hook('stop'), beforeEach: hook('each') }
    const kafka = useTestCluster(hooks as unknown as TestHooks, { topics: { t: {} } })
    assert.throws(() => kafka.bootstrapServers, IllegalStateError)
    await run('start')
    await kafka.produce('t', ['made before the first test'])
    await run('each')
    assert.equal((await valuesOf(kafka)).length, 1)
    await run('each')
    assert.equal((await valuesOf(kafka)).length, 0)
    await run('stop')
    assert.throws(() => kafka.bootstrapServers, IllegalStateError)
  })
}

test('without beforeEach, tests see what those before them have left', async () => {
  const { hook, run } = scriptedRunner()
  const kafka = useTestCluster({ before: hook('start'), after: hook('stop') })
  await run('start')
  await kafka.produce('t', ['left'])
  assert.deepEqual(await valuesOf(kafka), ['left'])
  await run('stop')
})

test('wrong options are told where the cluster is asked for', () => {
  const { hook } = scriptedRunner()
  const hooks = { before: hook('start'), after: hook('stop') }
  assert.throws(() => useTestCluster(hooks, { brokers: 2 }), ConfigError)
})
