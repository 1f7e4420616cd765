/**
 * A temporary folder for one test: data folders, logs, outputs. It goes away when the test passed
 * and stays, and is named, when it failed.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export interface Workspace {
  readonly folder: string
  /** The path of a file in the workspace. */
  path(...names: string[]): string
  /** Makes a folder in the workspace and returns its path. */
  makeFolder(...names: string[]): string
  /** Runs when the test has ended, before the folder is removed; the last one added runs first. */
  onEnd(action: () => Promise<void> | void): void
}

/** Creates the folder; `t` decides when it ends. */
export function createWorkspace(t: TestContext): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'samsa-interop-'))
  const actions: (() => Promise<void> | void)[] = []
  let failed = false
  // The test's own `passed` says nothing yet of its subtests when `after` runs.
  t.afterEach((subtest) => {
    if ('passed' in subtest && !subtest.passed) failed = true
  })
  t.after(async () => {
    for (const action of actions.reverse()) await action()
    if (t.passed && !failed) rmSync(folder, { recursive: true, force: true })
    else console.error(`# kept for a look: ${folder}`)
  })
  return {
    folder,
    path: (...names) => join(folder, ...names),
    makeFolder(...names) {
      const path = join(folder, ...names)
      mkdirSync(path, { recursive: true })
      return path
    },
    onEnd: (action) => actions.push(action),
  }
}
