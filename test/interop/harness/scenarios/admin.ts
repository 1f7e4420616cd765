/** Scenario 5: a topic's and a group's life by the client's admin calls, as far as it has them. */
import assert from 'node:assert/strict'
import { ask } from '../client-process.ts'
import type { AdminAnswer, AdminDeed, AdminStep } from '../contract.ts'
import { committedOffsets } from '../wire-groups.ts'
import type { Scene } from './scene.ts'

/** Kafka's error codes. */
const TOPIC_ALREADY_EXISTS = 36
const INVALID_CONFIG = 40
const UNKNOWN_TOPIC_OR_PARTITION = 3
const INVALID_PARTITIONS = 37

interface Expectation {
  step: AdminStep
  /** Fields of the answer. */
  answer: Record<string, unknown>
}

const expect = (
  deed: AdminDeed,
  args: Record<string, unknown>,
  answer: Record<string, unknown> = {},
): Expectation => ({ step: { do: deed, ...args }, answer })

/** `group` has committed offset 30 of `committed` and has no member. */
function life(topic: string, group: string, committed: string): Expectation[] {
  const configs = { 'retention.ms': '7200000', 'cleanup.policy': 'compact' }
  const retention = { topic, key: 'retention.ms' }
  const unknown = { topic: `${topic}.none`, partitions: 1, configs: { 'no.such.config': '1' } }
  return [
    expect('create-topic', { topic, partitions: 2, configs }),
    expect('create-topic', { topic, partitions: 2, configs }, { error: TOPIC_ALREADY_EXISTS }),
    expect('create-topic', unknown, { error: INVALID_CONFIG }),
    expect('list-topics', { prefix: topic }, { topics: [topic] }),
    expect('describe-topic', { topic }, { partitions: 2 }),
    expect('create-partitions', { topic, total: 5 }),
    expect('create-partitions', { topic, total: 4 }, { error: INVALID_PARTITIONS }),
    expect('describe-topic', { topic }, { partitions: 5 }),
    expect('describe-config', retention, { value: '7200000' }),
    expect('alter-config', { ...retention, value: '3600000' }),
    expect('describe-config', retention, { value: '3600000' }),
    expect('delete-records', { topic: committed, partition: 0, before: 7 }, { low: 7 }),
    expect('list-groups', { prefix: group }, { groups: [group] }),
    expect('describe-group', { group }, { state: 'Empty', members: 0 }),
    expect('group-offsets', { group, topic: committed, partitions: 1 }, { offsets: [30] }),
    expect('set-group-offsets', { group, topic: committed, offsets: [12] }),
    expect('group-offsets', { group, topic: committed, partitions: 1 }, { offsets: [12] }),
    expect('delete-group', { group }),
    expect('list-groups', { prefix: group }, { groups: [] }),
    expect('delete-topic', { topic }),
    expect('delete-topic', { topic }, { error: UNKNOWN_TOPIC_OR_PARTITION }),
    expect('list-topics', { prefix: topic }, { topics: [] }),
  ]
}

/** What can be asked of a client that lacks some deeds, and is not changed by their absence. */
function feasible(all: Expectation[], cannot: readonly AdminDeed[]): Expectation[] {
  const can = (deed: AdminDeed): boolean => !cannot.includes(deed)
  const offset = can('set-group-offsets') ? 12 : 30
  return all
    .filter(({ step }) => can(step.do))
    .filter(({ answer }) => can('delete-group') || !('groups' in answer) || !isNone(answer.groups))
    .map(({ step, answer }) => {
      if (step.do === 'describe-topic' && !can('create-partitions')) {
        return { step, answer: { partitions: 2 } }
      }
      const isAfterReset = step.do === 'group-offsets' && isSame(answer.offsets, [12])
      return isAfterReset ? { step, answer: { offsets: [offset] } } : { step, answer }
    })
}

const isSame = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other)

const isNone = (value: unknown): boolean => isSame(value, [])

/** Runs after `commitAndResume`, on whose group and topic it works. */
export async function administer(scene: Scene): Promise<void> {
  const { workspace, broker, client } = scene
  const group = scene.group('resume')
  const committed = scene.topic('resume')
  const expectations = feasible(life(scene.topic('admin'), group, committed), client.cannot)
  const steps = expectations.map(({ step }) => step)
  // Apache Kafka answers before a change can be seen everywhere; ours must not need any pause.
  const request = { address: broker.address, steps, pauseMs: broker.target === 'kafka' ? 200 : 0 }
  const answers = await ask<AdminAnswer>(workspace, client, 'admin', request)
  const got = answers.map(({ type, ...answer }, index) => [steps[index]?.do, answer])
  assert.deepEqual(
    got,
    expectations.map(({ step, answer }) => [step.do, answer]),
  )
  if (!client.cannot.includes('delete-group')) {
    assert.deepEqual(await committedOffsets(broker.port, group, committed, 1), [-1])
  }
}
