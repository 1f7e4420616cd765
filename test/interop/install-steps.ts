/** The steps of installers: Debian packages, and things that are made once from their sources. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { capture } from './harness/children.ts'
import { paths } from './harness/paths.ts'

/** What a command says, or undefined when it fails. */
export async function answers(command: string, ...args: string[]): Promise<string | undefined> {
  const { code, output, errors } = await capture(command, args)
  return code === 0 ? output + errors : undefined
}

let packageListsAreFresh = false

/** Installs Debian packages if this machine has them and lets us. */
export async function installPackages(...packages: string[]): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return `run as root: apt-get install ${packages.join(' ')}`
  const environment = { DEBIAN_FRONTEND: 'noninteractive' }
  if (!packageListsAreFresh) await capture('apt-get', ['update'], { environment })
  packageListsAreFresh = true
  const install = ['install', '-y', '--no-install-recommends', ...packages]
  const { code, errors } = await capture('apt-get', install, { environment, timeoutMs: 600_000 })
  return code === 0 ? undefined : `apt-get install ${packages.join(' ')}: ${lastLine(errors)}`
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? ''

/** The first lines that an installer's own output offers as a reason. */
const reason = (output: string): string =>
  output
    .split('\n')
    .filter((line) => line.includes('ERROR') || line.startsWith('go: '))
    .slice(0, 2)
    .join(' ') || lastLine(output)

/** A file whose content says from which sources something was made. */
const stamp = (name: string): string => join(paths.cache, `${name}.made-from`)

/** Whether `make` made this from the same sources before. */
export function isMadeFrom(name: string, digest: string): boolean {
  return existsSync(stamp(name)) && readFileSync(stamp(name), 'utf8') === digest
}

/** A digest of files' contents and of what else a result depends on. */
export function digestOf(files: string[], ...more: string[]): string {
  const hash = createHash('sha256').update(more.join('\n'))
  for (const file of files) hash.update(readFileSync(file))
  return hash.digest('hex')
}

/** Runs the steps and stamps their result, unless the stamp is there; returns what went wrong. */
export async function make(
  name: string,
  digest: string,
  steps: [command: string, args: string[], cwd: string][],
): Promise<string | undefined> {
  if (isMadeFrom(name, digest)) return undefined
  for (const [command, args, cwd] of steps) {
    const { code, output, errors } = await capture(command, args, { cwd, timeoutMs: 600_000 })
    if (code !== 0) return `${command} ${args[0]} failed: ${reason(output + errors)}`
  }
  writeFileSync(stamp(name), digest)
  return undefined
}
