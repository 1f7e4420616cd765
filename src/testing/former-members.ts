/**
 * Members of groups that a reset has taken away. Of a group that does not exist Kafka says just
 * that to a member, which then gives up for good: nothing but a reset makes a group with members
 * vanish. Told that it is not known, it joins again, and an application lives on from test to test.
 */
import { KafkaError } from '../common/errors.ts'
import { ConsumerGroupHeartbeat } from '../protocol/messages/consumer-group-heartbeat.ts'
import { ShareGroupHeartbeat } from '../protocol/messages/share-group-heartbeat.ts'
import type { BrokerServices } from '../server/broker-services.ts'
import type {
  InterceptedRequest,
  Interception,
  RequestInterceptor,
} from '../server/request-interceptor.ts'
import type { RequestTo } from './api-by-name.ts'

const HEARTBEATS: readonly number[] = [ConsumerGroupHeartbeat.key, ShareGroupHeartbeat.key]
const EVERY_STATE: ReadonlySet<string> = new Set()
const WITH_EPOCHS: ReadonlySet<string> = new Set(['consumer', 'share'])

export class FormerMembers implements RequestInterceptor {
  readonly #members = new Set<string>()

  /** Remembers who is a member, before the groups go. Classic members join again by themselves. */
  async remember({ groupCoordinator, shareGroups }: BrokerServices): Promise<void> {
    const listed = await groupCoordinator.readAll((shard) => shard.list(EVERY_STATE, WITH_EPOCHS))
    for (const { groupId, groupType } of listed.flat()) {
      const { members } =
        groupType === 'share'
          ? await shareGroups.describe(groupId)
          : await groupCoordinator.read(groupId, ({ consumer }) => consumer.describe(groupId))
      for (const { memberId } of members) this.#members.add(keyOf(groupId, memberId))
    }
  }

  intercept({ api, request }: InterceptedRequest): Interception | undefined {
    if (this.#members.size === 0 || !HEARTBEATS.includes(api.key)) return undefined
    const heartbeat = request as RequestTo<'ConsumerGroupHeartbeat' | 'ShareGroupHeartbeat'>
    const key = keyOf(heartbeat.groupId, heartbeat.memberId)
    if (!this.#members.has(key)) return undefined
    if (heartbeat.memberEpoch > 0) {
      return { action: 'fail', error: new KafkaError('UNKNOWN_MEMBER_ID') }
    }
    this.#members.delete(key)
    return undefined
  }
}

function keyOf(groupId: string, memberId: string): string {
  return JSON.stringify([groupId, memberId])
}
