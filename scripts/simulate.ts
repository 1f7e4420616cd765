/**
 * `npm run test:sim`: ten thousand seeds of the simulator, shared by the machine's processors.
 * Other seeds: `-- --from N --seeds N`; with `--trace` everything that happens in one is printed.
 */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const program = join(import.meta.dirname, '../sim/run.ts')
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
  },
})
const seeds = Number(values.seeds)
const from = Number(values.from)
const processes = values.trace ? 1 : Math.min(availableParallelism(), seeds)
const size = Math.ceil(seeds / processes)

const shares = Array.from({ length: processes }, (_, part) => {
  const first = from + part * size
  const count = Math.max(Math.min(size, from + seeds - first), 0)
  const args = [program, '--from', `${first}`, '--seeds', `${count}`]
  const child = spawn(process.execPath, values.trace ? [...args, '--trace'] : args, {
    stdio: 'inherit',
  })
  return new Promise<number | null>((resolve) => child.on('exit', resolve))
})
const codes = await Promise.all(shares)
process.exitCode = codes.every((code) => code === 0) ? 0 : 1
