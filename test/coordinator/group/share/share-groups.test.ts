import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GroupTable } from '../../../../src/coordinator/group/group.ts'
import { groupRecordCodec } from '../../../../src/coordinator/group/group-records.ts'
import type { TopicState } from '../../../../src/coordinator/group/share/share-group.ts'
import { ShareGroups } from '../../../../src/coordinator/group/share/share-groups.ts'
import type { CoordinatorRecord } from '../../../../src/coordinator/runtime/coordinator-record.ts'
import type {
  CoordinatorShard,
  ShardContext,
} from '../../../../src/coordinator/runtime/coordinator-shard.ts'
import { CoordinatorHarness } from '../../support/coordinator-harness.ts'
import { SHARE_CONFIG, TestTopics } from '../../support/test-topics.ts'

const GROUP = 'g'
const CLIENT = { clientId: 'c', clientHost: '/127.0.0.1' }

/** A shard of share groups only. */
class ShareShard implements CoordinatorShard {
  readonly share: ShareGroups

  constructor(context: ShardContext, topics: TestTopics) {
    const groups = new GroupTable()
    this.share = new ShareGroups({ context, config: SHARE_CONFIG, groups, topics })
  }

  replay(record: CoordinatorRecord): void {
    assert.ok(this.share.replay(record))
  }

  replayEndOfTransaction(): void {}

  onLoaded(): void {
    this.share.onLoaded()
  }

  onUnloaded(): void {}
}

class World {
  readonly topics = new TestTopics()
  readonly epochs = new Map<string, number>()
  #harness: CoordinatorHarness<ShareShard> | undefined

  get harness(): CoordinatorHarness<ShareShard> {
    return this.#harness!
  }

  async start(): Promise<void> {
    const { topics } = this
    const create = (context: ShardContext) => new ShareShard(context, topics)
    this.#harness = await CoordinatorHarness.start(groupRecordCodec, create)
  }

  /** A heartbeat; what is to be initialised is, at once. */
  async heartbeat(memberId: string, names: readonly string[] | null = null) {
    const memberEpoch = this.epochs.get(memberId) ?? 0
    const request = { groupId: GROUP, memberId, memberEpoch, rackId: null }
    const subscribedTopicNames = names === null ? null : [...names]
    const { response, toInitialize } = await this.harness.write(({ share }) =>
      share.heartbeat({ ...request, subscribedTopicNames }, CLIENT),
    )
    this.epochs.set(memberId, response.memberEpoch)
    if (toInitialize !== undefined) {
      const done = new Map<string, TopicState & { partitions: Set<number> }>()
      for (const { topicId, partition } of toInitialize.partitions) {
        const topicName = this.topics.topicName(topicId)!
        const state = done.get(topicId) ?? { topicName, partitions: new Set<number>() }
        state.partitions.add(partition)
        done.set(topicId, state)
      }
      await this.harness.write(({ share }) => share.initialized(GROUP, done))
    }
    return response
  }

  async leave(memberId: string): Promise<void> {
    this.epochs.delete(memberId)
    const request = { groupId: GROUP, memberId, memberEpoch: -1 }
    const rest = { rackId: null, subscribedTopicNames: null }
    await this.harness.write(({ share }) => share.heartbeat({ ...request, ...rest }, CLIENT))
  }

  async describe() {
    return await this.harness.read(({ share }) => share.describe(GROUP))
  }
}

test('a member has its partitions once there is state, and grows with its topic', async () => {
  const world = new World()
  await world.start()
  const topicId = world.topics.create('t', 2)
  const first = await world.heartbeat('a', ['t'])
  assert.deepEqual(first.assignment?.topicPartitions, [])
  const second = await world.heartbeat('a')
  assert.deepEqual(second.assignment?.topicPartitions, [{ topicId, partitions: [0, 1] }])
  assert.equal((await world.heartbeat('a')).assignment, null, 'nothing new')
  world.topics.grow('t', 3)
  await world.harness.read(({ share }) => share.onTopicChange(['t']))
  await world.heartbeat('a')
  const grown = await world.heartbeat('a')
  assert.deepEqual(grown.assignment?.topicPartitions, [{ topicId, partitions: [0, 1, 2] }])
})

test('members are fenced, unknown, too many, or gone without a word', async () => {
  const world = new World()
  await world.start()
  world.topics.create('t', 1)
  for (const id of ['a', 'b', 'c', 'd', 'e']) await world.heartbeat(id, ['t'])
  await assert.rejects(world.heartbeat('f', ['t']), { errorName: 'GROUP_MAX_SIZE_REACHED' })
  const epoch = world.epochs.get('a')!
  world.epochs.set('a', epoch + 90)
  await assert.rejects(world.heartbeat('a'), { errorName: 'FENCED_MEMBER_EPOCH' })
  world.epochs.set('a', epoch)
  await world.heartbeat('a')
  await world.harness.advance(30_000)
  await world.heartbeat('b')
  await world.harness.advance(20_000)
  const { members } = await world.describe()
  assert.deepEqual(
    members.map(({ memberId }) => memberId),
    ['b'],
  )
  world.epochs.set('f', 3)
  await assert.rejects(world.heartbeat('f'), { errorName: 'UNKNOWN_MEMBER_ID' })
  await world.harness.restart()
  await world.harness.advance(50_000)
  assert.equal((await world.describe()).groupState, 'Empty')
})

test('state is for as long as its topic: another of the name begins anew', async () => {
  const world = new World()
  await world.start()
  const before = world.topics.create('t', 1)
  await world.heartbeat('a', ['t'])
  await world.heartbeat('a')
  const after = world.topics.create('t', 1)
  await world.harness.write(({ share }) => ({
    ...share.onTopicsDeleted(new Set(['t'])),
    response: undefined,
  }))
  await world.harness.read(({ share }) => share.onTopicChange(['t']))
  const state = await world.harness.read(({ share }) => share.initializedPartitions(GROUP))
  assert.ok(!state.has(before))
  await world.heartbeat('a')
  const { assignment } = await world.heartbeat('a')
  assert.deepEqual(assignment?.topicPartitions, [{ topicId: after, partitions: [0] }])
})

const NAMES = ['x', 'y', 'z']
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('join'), id: fc.nat(4), names: fc.subarray(NAMES) }),
    fc.record({ kind: fc.constantFrom('leave', 'beat'), id: fc.nat(4), names: fc.constant([]) }),
    fc.record({ kind: fc.constantFrom('grow', 'restart'), id: fc.nat(2), names: fc.constant([]) }),
  ),
  { maxLength: 30 },
)

test('whoever comes and goes, the group settles, and its records say all of it', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const world = new World()
      await world.start()
      for (const name of NAMES) world.topics.create(name, 2)
      const wanted = new Map<string, readonly string[]>()
      for (const { kind, id, names } of script) {
        const memberId = `m${id}`
        if (kind === 'join' && names.length > 0) {
          await world.heartbeat(memberId, names)
          wanted.set(memberId, names)
        } else if (kind === 'leave' && wanted.delete(memberId)) {
          await world.leave(memberId)
        } else if (kind === 'beat' && wanted.has(memberId)) {
          await world.heartbeat(memberId)
        } else if (kind === 'grow') {
          const name = NAMES[id]!
          world.topics.grow(name, world.topics.partitionCount(name)! + 1)
          await world.harness.read(({ share }) => share.onTopicChange([name]))
        } else if (kind === 'restart') {
          await world.harness.restart()
        }
      }
      for (let round = 0; round < 3; round++) {
        for (const memberId of wanted.keys()) await world.heartbeat(memberId)
      }
      if (wanted.size === 0) return
      const settled = await world.describe()
      await world.harness.restart()
      assert.deepEqual(await world.describe(), settled)
      for (const name of new Set([...wanted.values()].flat())) {
        const assigned = new Set(
          settled.members.flatMap(({ assignment }) =>
            assignment.topicPartitions
              .filter(({ topicName }) => topicName === name)
              .flatMap(({ partitions }) => partitions),
          ),
        )
        assert.equal(assigned.size, world.topics.partitionCount(name), `all of ${name}`)
      }
    }),
    { numRuns: 100 },
  )
})
