/** All that a client must show, as subtests. */
import type { TestContext } from 'node:test'
import { startBroker } from '../broker.ts'
import { adminDeeds, type ClientProgram } from '../contract.ts'
import { settings } from '../settings.ts'
import { createWorkspace } from '../workspace.ts'
import { administer } from './admin.ts'
import { rebalance } from './group.ts'
import { commitAndResume, roundTrip } from './records.ts'
import { type Scene, scene } from './scene.ts'
import { shareGroup } from './share.ts'
import { fencing, idempotence, transactions } from './transactions.ts'

/** Intervals in which the scenarios can be played; the defaults would take minutes. */
const quickGroups: Record<string, string> = {
  'group.min.session.timeout.ms': '1000',
  'group.consumer.min.session.timeout.ms': '1000',
  'group.consumer.session.timeout.ms': '3000',
  'group.consumer.min.heartbeat.interval.ms': '300',
  'group.consumer.heartbeat.interval.ms': '300',
  'group.share.min.session.timeout.ms': '1000',
  'group.share.session.timeout.ms': '3000',
  'group.share.min.heartbeat.interval.ms': '300',
  'group.share.heartbeat.interval.ms': '300',
  'group.share.min.record.lock.duration.ms': '1000',
  'group.share.record.lock.duration.ms': '4000',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
}

/** Starts a broker and has each of the clients show everything; `t` is the suite's one test. */
export async function proveClients(t: TestContext, clients: ClientProgram[]): Promise<void> {
  const workspace = createWorkspace(t)
  const options = { dataFolder: workspace.path('data'), configs: quickGroups }
  const stage = { workspace, options, broker: await startBroker(workspace, options) }
  for (const client of clients) {
    const isWanted = settings.client === undefined || settings.client === client.name
    if (isWanted) await proveClient(t, scene(stage, client))
  }
  await stage.broker.stop()
}

async function proveClient(t: TestContext, here: Scene): Promise<void> {
  const { client } = here
  const test = (name: string, play: () => Promise<void>): Promise<void> =>
    t.test(`${client.name}: ${name}`, play)
  for (const codec of client.codecs) {
    await test(`records come back as they were, ${codec}`, () => roundTrip(here, codec))
  }
  await test('a group goes on where it committed', () => commitAndResume(here))
  for (const kind of client.groups) {
    const name = [kind.protocol, kind.assignor].filter(Boolean).join(', ')
    await test(`three members over rebalances, ${name}`, () => rebalance(here, kind))
  }
  if (client.idempotent) await test('an idempotent producer', () => idempotence(here))
  if (client.transactions !== 'none') {
    await test('transactions committed and aborted', () => transactions(here))
    await test('a producer that was taken over is fenced', () => fencing(here))
  }
  if (client.share) await test('a share group', () => shareGroup(here))
  if (client.cannot.length < adminDeeds.length) {
    await test('topics, configs and groups by admin calls', () => administer(here))
  }
}
