/**
 * `npm run build`: bundles the broker and its tools into `dist/samsa.js`. One file starts several
 * times faster than the hundred and more it is made of. Packages with native code stay outside and
 * are loaded when first used.
 */
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const out = join(root, 'dist')

rmSync(out, { recursive: true, force: true })
mkdirSync(out)
await build({
  entryPoints: [join(root, 'src/tools/main.ts')],
  outfile: join(out, 'samsa.js'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  packages: 'external',
  legalComments: 'none',
  logLevel: 'warning',
})
const { size } = statSync(join(out, 'samsa.js'))
console.log(`dist/samsa.js  ${(size / 1024).toFixed(0)} KiB`)
