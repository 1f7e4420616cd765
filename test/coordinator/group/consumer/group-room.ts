/** A group shard, topics, and members of KIP-848 that behave as clients do. */
import assert from 'node:assert/strict'
import { KafkaError } from '../../../../src/common/errors.ts'
import type {
  ConsumerGroupConfig,
  HeartbeatRequest,
  HeartbeatResponse,
} from '../../../../src/coordinator/group/consumer/consumer-groups.ts'
import { type GroupHarness, startGroupShard } from '../../support/group-shard.ts'
import { CONSUMER_CONFIG, TestTopics } from '../../support/test-topics.ts'

export const GROUP = 'g'
export const SESSION_TIMEOUT_MS = 45_000

export class GroupRoom {
  readonly harness: GroupHarness
  readonly topics: TestTopics

  private constructor(harness: GroupHarness, topics: TestTopics) {
    this.harness = harness
    this.topics = topics
  }

  static async open(settings: Partial<ConsumerGroupConfig> = {}): Promise<GroupRoom> {
    const topics = new TestTopics()
    const consumer = { ...CONSUMER_CONFIG, maxSize: 100, ...settings }
    const idle = { offsetsRetentionMinutes: 1e5, offsetsRetentionCheckIntervalMs: 1e9 }
    const harness = await startGroupShard({ consumer, ...idle }, topics)
    return new GroupRoom(harness, topics)
  }

  member(memberId: string, options: MemberOptions = {}): TestMember {
    return new TestMember(this, memberId, options)
  }

  /** Makes a topic, has it grow, or deletes it (0 partitions), and says so to the coordinator. */
  async changeTopic(name: string, partitions: number): Promise<void> {
    if (partitions === 0) this.topics.delete(name)
    else if (this.topics.topicId(name) === undefined) this.topics.create(name, partitions)
    else this.topics.grow(name, partitions)
    await this.harness.read((shard) => shard.consumer.onTopicChange([name]))
  }

  heartbeat(request: Partial<HeartbeatRequest>, apiVersion = 1): Promise<HeartbeatResponse> {
    const complete = {
      ...{ groupId: GROUP, memberId: '', memberEpoch: 0, instanceId: null, rackId: null },
      ...{ rebalanceTimeoutMs: -1, subscribedTopicNames: null, subscribedTopicRegex: null },
      ...{ serverAssignor: null, topicPartitions: null },
      ...request,
    }
    const context = { clientId: 'client', clientHost: '/127.0.0.1', apiVersion }
    return this.harness.write(({ consumer }) => consumer.heartbeat(complete, context))
  }

  describe() {
    return this.harness.read(({ consumer }) => consumer.describe(GROUP))
  }

  /** What the coordinator says each member has, as `topic-partition`. */
  async assignments(): Promise<Record<string, string[]>> {
    const { members } = await this.describe()
    return Object.fromEntries(
      members.map(({ memberId, assignment }) => [memberId, partitionNames(assignment)]),
    )
  }
}

function partitionNames(assignment: {
  topicPartitions: readonly { topicName: string; partitions: readonly number[] }[]
}): string[] {
  return assignment.topicPartitions
    .flatMap(({ topicName, partitions }) => partitions.map((p) => `${topicName}-${p}`))
    .sort()
}

export interface MemberOptions {
  instanceId?: string
  topics?: readonly string[]
  regex?: string
  assignor?: string
  rebalanceTimeoutMs?: number
}

/** The error of a request that fails, or the name of none. */
export async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'NONE'
  } catch (error) {
    assert.ok(error instanceof KafkaError)
    return error.errorName
  }
}

type Owned = Map<string, Set<number>>

export class TestMember {
  readonly room: GroupRoom
  readonly memberId: string
  readonly options: MemberOptions
  epoch = 0
  /** What it reads, by topic id. */
  owned: Owned = new Map()
  #assigned: Owned | undefined
  #mustTell = true
  /** Of the last answer. */
  intervalMs = 0

  constructor(room: GroupRoom, memberId: string, options: MemberOptions) {
    this.room = room
    this.memberId = memberId
    this.options = { ...options }
  }

  get partitions(): string[] {
    const { topics } = this.room
    return [...this.owned]
      .flatMap(([id, partitions]) => [...partitions].map((p) => `${topics.topicName(id)}-${p}`))
      .sort()
  }

  /** Says something of itself anew in the next heartbeat. */
  change(options: MemberOptions): void {
    Object.assign(this.options, options)
    this.#mustTell = true
  }

  request(): Partial<HeartbeatRequest> {
    const { memberId, epoch: memberEpoch, options } = this
    const identity = { memberId, memberEpoch, instanceId: options.instanceId ?? null }
    const owned = [...this.owned].map(([topicId, partitions]) => ({
      topicId,
      partitions: [...partitions],
    }))
    if (!this.#mustTell) return identity
    return {
      ...identity,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 300_000,
      subscribedTopicNames: [...(options.topics ?? [])],
      subscribedTopicRegex: options.regex ?? '',
      serverAssignor: options.assignor ?? null,
      topicPartitions: owned,
    }
  }

  /** One heartbeat. Returns its error. With `isLost` the answer does not arrive. */
  async heartbeat({ isLost = false } = {}): Promise<string> {
    const name = await outcome(
      this.room.heartbeat(this.request()).then((response) => {
        if (!isLost) this.#follow(response)
      }),
    )
    if (isLost) this.#mustTell = true
    const mustRejoin = name === 'FENCED_MEMBER_EPOCH' || name === 'UNKNOWN_MEMBER_ID'
    if (mustRejoin && !isLost) this.forget()
    return name
  }

  #follow(response: HeartbeatResponse): void {
    this.epoch = response.memberEpoch
    this.intervalMs = response.heartbeatIntervalMs
    this.#mustTell = false
    if (response.assignment == null) return
    this.#assigned = new Map(
      response.assignment.topicPartitions.map(({ topicId, partitions }) => [
        topicId,
        new Set(partitions),
      ]),
    )
  }

  /** Stops reading what it is not to have, begins to read what it is to have; says so next time. */
  reconcile(): void {
    if (this.#assigned === undefined) return
    this.owned = this.#assigned
    this.#assigned = undefined
    this.#mustTell = true
  }

  /** Heartbeat, and whatever it demands. */
  async step(): Promise<string> {
    const error = await this.heartbeat()
    this.reconcile()
    return error
  }

  leave(isStatic = false): Promise<string> {
    const { memberId, options } = this
    const memberEpoch = isStatic ? -2 : -1
    const instanceId = options.instanceId ?? null
    this.forget()
    return outcome(this.room.heartbeat({ memberId, memberEpoch, instanceId }))
  }

  /** Has lost everything, and will join anew. */
  forget(): void {
    this.epoch = 0
    this.owned = new Map()
    this.#assigned = undefined
    this.#mustTell = true
  }
}

/** Lets all have their turn until nothing changes any more. Returns how many rounds it took. */
export async function settle(members: readonly TestMember[], maxRounds = 12): Promise<number> {
  for (let round = 0; round < maxRounds; round++) {
    const before = JSON.stringify(members.map((m) => [m.epoch, m.partitions, m.request()]))
    for (const member of members) await member.step()
    const after = JSON.stringify(members.map((m) => [m.epoch, m.partitions, m.request()]))
    if (before === after) return round
  }
  return maxRounds
}
