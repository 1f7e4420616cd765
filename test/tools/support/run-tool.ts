/** Runs a command-line tool within this process, with its input and output as text. */
import { Readable } from 'node:stream'
import { runTool as run, type Tool } from '../../../src/tools/support/tool.ts'

export interface ToolRun {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export async function runTool(
  tool: Tool,
  args: readonly string[],
  options: { readonly stdin?: string | Uint8Array; readonly signal?: AbortSignal } = {},
): Promise<ToolRun> {
  const written = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  const output = (chunks: Buffer[]) => ({
    write: (text: string | Uint8Array) => chunks.push(Buffer.from(text)),
  })
  const input = options.stdin ?? ''
  const code = await run(tool, args, {
    stdin: Readable.from(input.length === 0 ? [] : [Buffer.from(input)]),
    stdout: output(written.stdout),
    stderr: output(written.stderr),
    signal: options.signal ?? new AbortController().signal,
  })
  return {
    code,
    stdout: Buffer.concat(written.stdout).toString(),
    stderr: Buffer.concat(written.stderr).toString(),
  }
}
