/** Runs a program of the repository on the pinned Node: `node scripts/with-node.mjs FILE [ARG…]`. */
import { ensureInstalled, pinnedNode, run } from './prepare.mjs'

ensureInstalled()
process.exitCode = await run(pinnedNode(), process.argv.slice(2))
