/**
 * Folders for data that is not to outlive the process. They are removed when they are disposed of,
 * or else when the process ends of its own accord; only one that is killed leaves them behind.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Those of this process that are there. One listener serves all of them. */
const folders = new Set<string>()

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

function removeAll(): void {
  for (const path of folders) remove(path)
}

/** Makes a folder of its own in the system's folder for temporary files. */
export function makeTemporaryFolder(prefix: string): { path: string; dispose: () => void } {
  const path = mkdtempSync(join(tmpdir(), prefix))
  if (folders.size === 0) process.on('exit', removeAll)
  folders.add(path)
  return {
    path,
    dispose: () => {
      remove(path)
      folders.delete(path)
      if (folders.size === 0) process.off('exit', removeAll)
    },
  }
}

/** A path from the root of the file system, whatever the working folder of the process is. */
export { resolve as absolutePath } from 'node:path'
