/**
 * `npm run build [-- --no-types]`: what the package holds besides `bin/` and `config/`.
 *
 *   dist/samsa.js        the broker and its tools; one file starts several times faster than the
 *                        hundreds it is made of
 *   dist/clients.js, …   what applications import as `samsa/clients` and so on; they share chunks,
 *                        so that an error of one is an instance of the other's class too
 *   dist/types/          the declarations of these, one for each source
 *
 * Packages with native code stay outside and are loaded when first used.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const out = join(root, 'dist')

const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  packages: 'external',
  legalComments: 'none',
  logLevel: 'warning',
}

/** The subpaths of the package, by the name of their file in `dist`. */
const libraries = Object.fromEntries(
  ['clients', 'testing']
    .map((name) => [name, join(root, 'src', name, 'index.ts')] as const)
    .filter(([, path]) => existsSync(path)),
)

rmSync(out, { recursive: true, force: true })
mkdirSync(out)
await build({
  ...common,
  entryPoints: [join(root, 'src/tools/main.ts')],
  outfile: join(out, 'samsa.js'),
})
await build({
  ...common,
  entryPoints: libraries,
  outdir: out,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
})
if (!process.argv.includes('--no-types')) {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const args = [compiler, '-p', join(root, 'tsconfig.types.json')]
  execFileSync(process.execPath, args, { stdio: 'inherit' })
}
for (const name of readdirSync(out).filter((name) => name.endsWith('.js'))) {
  const { size } = statSync(join(out, name))
  console.log(`dist/${name}  ${(size / 1024).toFixed(0)} KiB`)
}
