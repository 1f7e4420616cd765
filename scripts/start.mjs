/** `npm start`: a broker on 127.0.0.1:9092 with its data in ./data, from a fresh clone if need be. */
import { join } from 'node:path'
import { ensureBuilt, ensureInstalled, pinnedNode, root, run } from './prepare.mjs'

ensureInstalled()
await ensureBuilt()
const launcher = join(root, 'bin', 'samsa.mjs')
const args = ['start', join(root, 'config', 'server.properties'), ...process.argv.slice(2)]
process.exitCode = await run(pinnedNode(), [launcher, ...args])
