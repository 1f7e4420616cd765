/** Writes much, at the pace of whoever reads it. */
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { ToolOutput } from './tool.ts'

/** Resolves when more may be written, or nobody reads any more. */
export async function writeAll(output: ToolOutput, bytes: Uint8Array): Promise<void> {
  if (bytes.length === 0 || output.write(bytes) !== false || !('once' in output)) return
  const done = new AbortController()
  const { signal } = done
  const stream = output as unknown as Writable
  // Of an error, `once` rejects; whoever listens for it has been told as well.
  const events = [once(stream, 'drain', { signal }), once(stream, 'close', { signal })]
  await Promise.race(events).catch(() => {})
  done.abort()
  await Promise.allSettled(events)
}
