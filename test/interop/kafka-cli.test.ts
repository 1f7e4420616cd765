/**
 * Our command-line tools print what Apache Kafka's print and end as they do, line by line, run
 * against the same broker. The cases are in `cli/*.cases.ts`.
 *
 * `SAMSA_CLI_CASES=topics` runs only the cases whose family and name contain that.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { TOOLS } from '../../src/tools/main.ts'
import { type CliCase, compareCase } from './cli/compare.ts'
import { startBroker } from './harness/broker.ts'
import { settings } from './harness/settings.ts'
import { openToolBox } from './harness/toolbox.ts'
import { createWorkspace } from './harness/workspace.ts'

const CONFIGS = {
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
}

const folder = join(import.meta.dirname, 'cli')
const families = await Promise.all(
  readdirSync(folder)
    .filter((file) => file.endsWith('.cases.ts'))
    .map(async (file): Promise<[family: string, cases: readonly CliCase[]]> => {
      return [file.replace('.cases.ts', ''), (await import(join(folder, file))).cases]
    }),
)
const chosen = process.env.SAMSA_CLI_CASES ?? ''

test("our tools print what Apache Kafka's print", async (t) => {
  const workspace = createWorkspace(t)
  const dataFolder = workspace.path('data')
  const broker = await startBroker(workspace, { dataFolder, configs: CONFIGS })
  const kafkaTools = openToolBox(workspace, broker.address)
  const stage = { workspace, broker, kafkaTools, ourTools: TOOLS }
  let number = 0
  for (const [family, cases] of families) {
    for (const theCase of cases) {
      number += 1
      const own = number
      const name = `${family}: ${theCase.name}`
      const isMeant = theCase.only === undefined || theCase.only === settings.target
      if (isMeant && name.includes(chosen))
        await t.test(name, () => compareCase(stage, theCase, own))
    }
  }
})
