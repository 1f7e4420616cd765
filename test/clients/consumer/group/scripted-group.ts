/**
 * A membership, without the rest of a consumer, and a coordinator that says what a test wants: by
 * itself it lets the member join and assigns it `t-0` and `t-1`.
 */

import { ClusterClient } from '../../../../src/clients/cluster/cluster-client.ts'
import { readConsumerConfig } from '../../../../src/clients/config/consumer-config.ts'
import {
  createGroupMembership,
  type GroupMembership,
} from '../../../../src/clients/consumer/group/group-membership.ts'
import { SubscriptionState } from '../../../../src/clients/consumer/subscription-state.ts'
import type { KafkaError } from '../../../../src/clients/index.ts'
import { ConsumerObserver } from '../../../../src/clients/observability/consumer-observer.ts'
import { partitionName, type TopicPartition } from '../../../../src/clients/topic-partition.ts'
import { sleep } from '../../../../src/common/clock.ts'
import { ErrorCode, type ErrorName } from '../../../../src/common/errors.ts'
import {
  decodeConsumerSubscription,
  encodeConsumerAssignment,
} from '../../../../src/protocol/consumer-protocol.ts'
import { ConsumerGroupHeartbeat } from '../../../../src/protocol/messages/consumer-group-heartbeat.ts'
import { FindCoordinator } from '../../../../src/protocol/messages/find-coordinator.ts'
import { Heartbeat } from '../../../../src/protocol/messages/heartbeat.ts'
import { JoinGroup } from '../../../../src/protocol/messages/join-group.ts'
import { LeaveGroup } from '../../../../src/protocol/messages/leave-group.ts'
import { Metadata } from '../../../../src/protocol/messages/metadata.ts'
import { OffsetCommit } from '../../../../src/protocol/messages/offset-commit.ts'
import { OffsetFetch } from '../../../../src/protocol/messages/offset-fetch.ts'
import { SyncGroup } from '../../../../src/protocol/messages/sync-group.ts'
import type { Api, RequestOf, ResponseInput } from '../../../../src/protocol/schema.ts'
import { ClientWorld, metadataAnswer } from '../../support/client-world.ts'
import {
  type Answer,
  answer,
  requestOf,
  type ScriptedBroker,
  type ScriptedRequest,
} from '../../support/scripted-broker.ts'

export const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const POLL_MS = 100
const OWN = [
  { topic: 't', partition: 0 },
  { topic: 't', partition: 1 },
]

type Override = (scripted: ScriptedRequest) => Answer

export class ScriptedGroup {
  readonly world = new ClientWorld()
  readonly subscription = new SubscriptionState({ kind: 'earliest' })
  /** `+t-0` assigned, `-t-0` revoked, `!t-0` lost. */
  readonly events: string[] = []
  readonly errors: KafkaError[] = []
  readonly committed: number[] = []
  membership!: GroupMembership
  broker!: ScriptedBroker
  cluster!: ClusterClient
  /** What the next rebalance of the classic protocol assigns. */
  assigned: readonly TopicPartition[] = OWN
  isPolling = true
  #generation = 0
  readonly #overrides = new Map<Api, Override[]>()

  /** Runs a scenario with a member that has joined. */
  static async run(settings: object, scenario: (group: ScriptedGroup) => Promise<void>) {
    const group = new ScriptedGroup()
    await group.world.run(async () => {
      await group.start(settings)
      await group.until(() => group.events.length === 2)
      await scenario(group)
      group.isPolling = false
      await group.membership.leave(group.cluster.limits({ timeoutMs: 1000 }))
      group.cluster.close()
    })
  }

  async start(settings: object): Promise<void> {
    const given = { bootstrapServers: 'broker-1:9092', groupId: 'g', enableAutoCommit: false }
    const config = readConsumerConfig({ ...given, ...settings })
    const { environment } = this.world
    this.broker = await this.world.broker(1, (scripted) => this.#answer(scripted))
    this.cluster = new ClusterClient({ config, environment, allowAutoTopicCreation: false })
    this.membership = createGroupMembership({
      ...{ cluster: this.cluster, config, environment, subscription: this.subscription },
      observer: new ConsumerObserver(this.cluster.observer, 'g'),
      assignors: [],
      beforeRevoke: async () => {},
      wake: () => {},
      onCommit: (offsets) => this.committed.push(...offsets.map(({ offset }) => offset)),
    })
    const note = (sign: string) => (partitions: TopicPartition[]) => {
      this.events.push(...partitions.map((partition) => `${sign}${partitionName(partition)}`))
    }
    this.subscription.subscribe(['t'], {
      onPartitionsAssigned: note('+'),
      onPartitionsRevoked: note('-'),
      onPartitionsLost: note('!'),
    })
    void this.#poll()
  }

  /** The next request of `api` is answered like this, the one after it like the next of these. */
  answerNext<A extends Api>(api: A, ...responses: ResponseInput<A>[]): void {
    this.doNext(api, ...responses.map((response) => () => answer(api, response)))
  }

  doNext(api: Api, ...overrides: Override[]): void {
    this.#overrides.set(api, [...(this.#overrides.get(api) ?? []), ...overrides])
  }

  /** The requests of `api` so far. */
  requests<A extends Api>(api: A): RequestOf<A>[] {
    const found = this.broker.requests.filter((request) => request.api.key === api.key)
    return found.map((request) => requestOf(api, request)!)
  }

  async pass(durationMs: number): Promise<void> {
    await sleep(this.world.environment.clock, durationMs)
  }

  async until(isSo: () => boolean): Promise<void> {
    const { clock } = this.world.environment
    const deadlineMs = clock.monotonic() + 60_000
    while (!isSo()) {
      if (clock.monotonic() > deadlineMs) {
        throw new Error(`it did not come about: ${this.events} ${this.errors}`)
      }
      await this.pass(10)
    }
  }

  /** Commits `offset` of t-0. */
  async commit(offset: number, timeoutMs = 5000): Promise<void> {
    const offsets = [{ topic: 't', partition: 0, offset }]
    await this.membership.commit(offsets, this.cluster.limits({ timeoutMs }))
  }

  async #poll(): Promise<void> {
    while (!this.cluster.isClosed) {
      if (this.isPolling) {
        const limits = this.cluster.limits({ timeoutMs: POLL_MS })
        await this.membership.poll(limits).catch((error) => this.errors.push(error))
      }
      await this.pass(POLL_MS)
    }
  }

  #answer(scripted: ScriptedRequest): Answer | undefined {
    const override = this.#overrides.get(scripted.api)?.shift()
    return override === undefined ? this.#byItself(scripted) : override(scripted)
  }

  #byItself(scripted: ScriptedRequest): Answer | undefined {
    const { api, request } = scripted
    const join = requestOf(JoinGroup, scripted)
    if (join !== undefined) return this.#joined(join)
    switch (api) {
      case Metadata:
        return metadataAnswer([1], { partitions: 2 })
      case FindCoordinator: {
        const found = { key: 'g', nodeId: 1, host: 'broker-1', port: 9092 }
        const coordinators = [{ ...found, errorCode: 0, errorMessage: null }]
        return answer(FindCoordinator, { coordinators } as never)
      }
      case SyncGroup: {
        const [own] = (request as RequestOf<typeof SyncGroup>).assignments
        const partitions = this.assigned.map(({ partition }) => partition)
        const assignedPartitions = [{ topic: 't', partitions }]
        const assignment =
          this.assigned === OWN ? own!.assignment : encodeConsumerAssignment({ assignedPartitions })
        return answer(SyncGroup, { errorCode: 0, assignment })
      }
      case Heartbeat:
        return answer(Heartbeat, { errorCode: 0 })
      case LeaveGroup:
        return answer(LeaveGroup, { errorCode: 0 })
      case ConsumerGroupHeartbeat:
        return this.#heartbeat(request as RequestOf<typeof ConsumerGroupHeartbeat>)
      case OffsetCommit:
        return commitAnswer('NONE')
      case OffsetFetch:
        return fetchAnswer(7)
      default:
        return undefined
    }
  }

  #joined({ memberId, protocols }: RequestOf<typeof JoinGroup>): Answer {
    const { name: protocolName, metadata } = protocols[0]!
    decodeConsumerSubscription(metadata)
    const id = memberId === '' ? `m-${this.#generation + 1}` : memberId
    this.#generation += 1
    return answer(JoinGroup, {
      ...{ errorCode: 0, generationId: this.#generation, protocolName, leader: id, memberId: id },
      members: [{ memberId: id, metadata }],
    })
  }

  #heartbeat({ memberEpoch }: RequestOf<typeof ConsumerGroupHeartbeat>): Answer {
    const isJoining = memberEpoch === 0
    return answer(ConsumerGroupHeartbeat, {
      ...{ errorCode: 0, heartbeatIntervalMs: 1000 },
      memberEpoch: isJoining ? ++this.#generation : memberEpoch,
      assignment: isJoining
        ? { topicPartitions: [{ topicId: TOPIC_ID, partitions: [0, 1] }] }
        : null,
    })
  }
}

/** An answer to OffsetCommit about t-0. */
export function commitAnswer(name: ErrorName | 'NONE'): Answer {
  const errorCode = name === 'NONE' ? 0 : ErrorCode[name]
  const partitions = [{ partitionIndex: 0, errorCode }]
  return answer(OffsetCommit, { topics: [{ name: 't', topicId: TOPIC_ID, partitions }] })
}

/** An answer to OffsetFetch about t-0: an offset, or an error. */
export function fetchAnswer(found: number | ErrorName): Answer {
  const errorCode = typeof found === 'number' ? 0 : ErrorCode[found]
  const committedOffset = typeof found === 'number' ? found : -1
  const partitions = [{ partitionIndex: 0, committedOffset, metadata: '', errorCode }]
  const topics = [{ name: 't', topicId: TOPIC_ID, partitions }]
  return answer(OffsetFetch, { groups: [{ groupId: 'g', topics }] })
}
