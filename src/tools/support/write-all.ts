/** Writes much, at the pace of whoever reads it. */
import type { ToolOutput } from './tool.ts'

/** Resolves when more may be written. */
export async function writeAll(output: ToolOutput, bytes: Uint8Array): Promise<void> {
  if (bytes.length === 0 || output.write(bytes) !== false) return
  const { once } = output as Partial<NodeJS.WriteStream>
  if (once === undefined) return
  await new Promise<void>((resolve) => {
    for (const event of ['drain', 'error', 'close'] as const) once.call(output, event, resolve)
  })
}
