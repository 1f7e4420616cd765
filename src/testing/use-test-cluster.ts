/** A test cluster that follows the hooks of a test runner. */
import type { TestClusterOptions } from './cluster-options.ts'
import { TestCluster } from './test-cluster.ts'

/** Registers what is to be done at some moment. Every runner's hooks are of this form. */
export type Hook = (action: () => Promise<void>) => unknown

/**
 * The hooks of a runner: `before` and `after` of node:test and mocha, `beforeAll` and `afterAll` of
 * vitest and jest. With `beforeEach` the cluster is reset before every test.
 */
export type TestHooks = (
  | { readonly before: Hook; readonly after: Hook }
  | { readonly beforeAll: Hook; readonly afterAll: Hook }
) & { readonly beforeEach?: Hook }

/**
 * Starts a cluster before the tests and stops it after them.
 *
 * ```ts
 * import { after, before, beforeEach, test } from 'node:test'
 * const kafka = useTestCluster({ before, after, beforeEach }, { topics: { orders: {} } })
 * ```
 * The cluster can be used within tests and hooks; before that it has no address. Throws
 * ConfigError.
 */
export function useTestCluster(hooks: TestHooks, options: TestClusterOptions = {}): TestCluster {
  const cluster = new TestCluster(options)
  const before = 'before' in hooks ? hooks.before : hooks.beforeAll
  const after = 'after' in hooks ? hooks.after : hooks.afterAll
  let isFresh = false
  before(async () => {
    await cluster.open()
    isFresh = true
  })
  hooks.beforeEach?.(async () => {
    // The first test has a new one anyway.
    if (!isFresh) await cluster.reset()
    isFresh = false
  })
  after(() => cluster.stop())
  return cluster
}
