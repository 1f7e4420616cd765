/**
 * `npm run build [-- --no-types]`: what the package holds besides `bin/` and `config/`.
 *
 *   dist/samsa.js        the broker and the tools
 *   dist/clients.js, …   what applications import as `samsa/clients` and so on
 *   dist/chunks/         what these have in common, and each tool by itself: a broker starts
 *                        several times faster from a few files than from the hundreds it is made
 *                        of, and does not read the tools
 *   dist/types/          the declarations, one for each source
 *
 * Packages with native code stay outside and are loaded when first used.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const out = join(root, 'dist')

/** By the names of their files in `dist`. */
const entryPoints = {
  samsa: join(root, 'src/tools/main.ts'),
  clients: join(root, 'src/clients/index.ts'),
  testing: join(root, 'src/testing/index.ts'),
}

rmSync(out, { recursive: true, force: true })
mkdirSync(out)
await build({
  entryPoints,
  outdir: out,
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  platform: 'node',
  format: 'esm',
  target: 'node24',
  packages: 'external',
  legalComments: 'none',
  logLevel: 'warning',
})
if (!process.argv.includes('--no-types')) {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const args = [compiler, '-p', join(root, 'tsconfig.types.json')]
  execFileSync(process.execPath, args, { stdio: 'inherit' })
}
const files = [out, join(out, 'chunks')].flatMap((folder) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => statSync(join(folder, name)).size),
)
const size = files.reduce((sum, bytes) => sum + bytes, 0)
console.log(`dist/  ${files.length} programs and chunks, ${(size / 1024).toFixed(0)} KiB`)
