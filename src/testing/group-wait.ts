/** Waits until a group is as a test wants it. */
import { type Admin, type GroupDescription, KafkaError, TimeoutError } from '../clients/index.ts'
import { sleep } from '../common/clock.ts'
import { DEFAULT_WAIT_MS } from './fault.ts'
import type { OwnClients } from './own-clients.ts'
import { TopicReader } from './topic-reader.ts'

/** All that is asked for has to be so at once. Without any of it: that the group is stable. */
export interface GroupConditions {
  /** As many members. */
  readonly members?: number
  /** `Stable`, `Empty`, `Assigning` and so on. */
  readonly state?: string
  /**
   * Everything that was produced to the partitions that the group has, or has had, is processed
   * and committed: behind what is committed there is no record.
   */
  readonly caughtUp?: boolean
  /** After how many milliseconds to give up, with a TimeoutError; 10,000 without it. */
  readonly timeoutMs?: number
}

const POLL_MS = 10

export class GroupWatcher {
  readonly #clients: OwnClients
  readonly #reader: TopicReader

  constructor(clients: OwnClients) {
    this.#clients = clients
    this.#reader = new TopicReader(clients)
  }

  /** What the group is, once it is as wanted. Rejects with TimeoutError, which says what it was. */
  async wait(groupId: string, conditions: GroupConditions): Promise<GroupDescription> {
    const { members, caughtUp, timeoutMs = DEFAULT_WAIT_MS } = conditions
    const isAnything = members === undefined && caughtUp !== true
    const wanted = { ...conditions, state: conditions.state ?? (isAnything ? 'Stable' : undefined) }
    const { clock } = this.#clients.keepAlive
    const deadlineMs = clock.monotonic() + timeoutMs
    for (;;) {
      const group = await this.#describe(groupId)
      const lacks = await this.#lacks(group, wanted)
      if (group !== undefined && lacks === undefined) return group
      if (clock.monotonic() > deadlineMs) {
        throw new TimeoutError(`Group ${groupId} ${lacks}, after ${timeoutMs} ms`)
      }
      await sleep(clock, POLL_MS)
    }
  }

  get #admin(): Admin {
    return this.#clients.admin
  }

  async #describe(groupId: string): Promise<GroupDescription | undefined> {
    const listed = (await this.#admin.listGroups()).find((group) => group.groupId === groupId)
    if (listed === undefined) return undefined
    try {
      return (await this.#ask(listed.type.toLowerCase(), groupId)).get(groupId)
    } catch (error) {
      // It has gone, or become one of another type, in between.
      if (error instanceof KafkaError && error.errorName === 'GROUP_ID_NOT_FOUND') return undefined
      throw error
    }
  }

  #ask(type: string, groupId: string): Promise<Map<string, GroupDescription>> {
    if (type === 'consumer') return this.#admin.describeConsumerGroups([groupId])
    if (type === 'share') return this.#admin.describeShareGroups([groupId])
    return this.#admin.describeClassicGroups([groupId])
  }

  /** What keeps the group from being as wanted, for people; undefined if nothing does. */
  async #lacks(
    group: GroupDescription | undefined,
    { members, state, caughtUp }: GroupConditions & { state: string | undefined },
  ): Promise<string | undefined> {
    if (group === undefined) return 'does not exist'
    const count = group.members.length
    if (members !== undefined && count !== members) return `has ${count} members, not ${members}`
    if (state !== undefined && group.state !== state) return `is ${group.state}, not ${state}`
    return caughtUp === true ? await this.#behind(group) : undefined
  }

  /** Where the group has something to read or to commit; undefined where it has not. */
  async #behind({ groupId, type, members }: GroupDescription): Promise<string | undefined> {
    const positions = new Map<string, { topic: string; partition: number; offset: number }>()
    const note = (topic: string, partition: number, offset: number) =>
      positions.set(`${topic}-${partition}`, { topic, partition, offset })
    for (const { assignment } of members) {
      for (const { topic, partition } of assignment) note(topic, partition, 0)
    }
    if (type === 'share') {
      const offsets = await this.#admin.listShareGroupOffsets(groupId)
      for (const { topic, partition, startOffset } of offsets) note(topic, partition, startOffset)
    } else {
      const offsets = await this.#admin.listGroupOffsets(groupId)
      for (const { topic, partition, offset } of offsets) note(topic, partition, offset)
    }
    if (positions.size === 0) return 'has no partitions yet'
    for (const [name, { topic, partition, offset }] of positions) {
      if (await this.#reader.hasRecordsFrom({ topic, partition }, offset)) {
        return `is at offset ${offset} of ${name}, with records behind it`
      }
    }
    return undefined
  }
}
