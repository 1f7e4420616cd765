/**
 * Makes a fresh clone usable: installs the dependencies if they are missing or out of date, and finds
 * the pinned Node. Plain JavaScript for whatever Node a machine has, because it runs before there is
 * anything else.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const nodePath = join(root, 'node_modules', 'node', 'bin', 'node')
const installedMark = join(root, 'node_modules', '.package-lock.json')
const lockFile = join(root, 'package-lock.json')

/** Installs what is missing, and says so. Ends the process if that fails. */
export function ensureInstalled() {
  const isInstalled =
    existsSync(nodePath) &&
    existsSync(installedMark) &&
    statSync(installedMark).mtimeMs >= statSync(lockFile).mtimeMs
  if (isInstalled) return
  console.log('Installing dependencies (npm install), once…')
  // Not `npm ci`: it refuses a lock file that lacks a package for a platform other than this one.
  const { status } = spawnSync('npm', ['install', '--no-save', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (status !== 0) {
    console.error(
      'npm install failed. Is the package registry reachable? Its output above says more.',
    )
    process.exit(1)
  }
}

/** The pinned Node, whatever the machine's own is. */
export function pinnedNode() {
  return nodePath
}

/** Runs a program to its end and returns its exit code. Signals go to the program, which decides. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options })
    const forward = (signal) => child.kill(signal)
    // Ctrl-C reaches the child from the terminal; it is only not to end this process first.
    process.on('SIGINT', () => {})
    process.on('SIGTERM', forward)
    child.on('error', (error) => {
      console.error(`cannot run ${command}: ${error.message}`)
      resolve(1)
    })
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}

/** Builds the programs in `dist/` if they are missing or older than the sources. */
export async function ensureBuilt() {
  const bundle = join(root, 'dist', 'samsa.js')
  if (existsSync(bundle) && statSync(bundle).mtimeMs > newest(join(root, 'src'))) return
  console.log('Building (npm run build)…')
  const code = await run(pinnedNode(), [join(root, 'scripts', 'build.ts'), '--no-types'])
  if (code !== 0) process.exit(code)
}

function newest(directory) {
  let latest = 0
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    const parent = entry.parentPath ?? entry.path
    latest = Math.max(latest, statSync(join(parent, entry.name)).mtimeMs)
  }
  return latest
}
