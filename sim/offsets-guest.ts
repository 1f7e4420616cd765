/**
 * Clients that commit offsets to groups, without being members of them. Each writes ever larger
 * offsets, so that one that moved back is seen. Also makes the coordinators' topics have small
 * segments, for the cleaner to find something to compact.
 */
import { sleep } from '../src/common/clock.ts'
import { ErrorCode, errorName } from '../src/common/errors.ts'
import { type CoordinatorClient, GROUP, type OffsetKey } from './coordinator-client.ts'
import {
  type Actor,
  type Guest,
  type GuestOptions,
  GuestTopic,
  type LifeEnd,
  RETRIABLE,
} from './guest.ts'
import { NONE_COMMITTED, OffsetModel } from './offset-model.ts'
import { Violation } from './partition-model.ts'
import { RequestFailure } from './simulated-client.ts'
import { actUntilOver, type Life } from './workload.ts'

/** More refusals of a kind that passes than this in a row are no passing matter. */
const MAX_RETRIES = 200
const RETRY_MS = 50
const OFFSETS_TOPIC = '__consumer_offsets'

export class OffsetsGuest implements Guest {
  readonly #options: GuestOptions
  readonly #topic: GuestTopic
  readonly #committers: { key: OffsetKey; model: OffsetModel; actor: Committer }[]

  constructor(options: GuestOptions) {
    const { random } = options
    this.#options = options
    this.#topic = new GuestTopic('g0', 2, new Map())
    const segmentBytes = random.pick([undefined, '600', '2000'])
    this.#committers = ['shared', 'g-1'].map((groupId, index) => {
      const key = { groupId, topic: this.#topic.name, partition: index }
      const model = new OffsetModel(`the offset of ${groupId}`)
      const topic = this.#topic
      const actor = new Committer({ ...options, key, model, topic, segmentBytes })
      return { key, model, actor }
    })
  }

  actors(): readonly Actor[] {
    return this.#committers.map(({ actor }) => actor)
  }

  async verify(): Promise<void> {
    const client = this.#options.connect()
    const exists = await this.#topic.settle(client)
    for (const { key, model } of exists ? this.#committers : []) {
      model.foundAfterStart(await this.#fetch(client, key))
    }
    client.close()
  }

  async settle(): Promise<void> {
    const client = this.#options.connect()
    for (const { key, model } of this.#topic.exists ? this.#committers : []) {
      model.found(await this.#fetch(client, key))
    }
    client.close()
  }

  crashed({ kind, isLossy }: LifeEnd): void {
    for (const { model } of this.#committers) {
      if (kind === 'stop') model.stopped()
      else if (isLossy) model.lose()
    }
  }

  async #fetch(client: CoordinatorClient, key: OffsetKey): Promise<number> {
    for (let retries = 0; ; retries++) {
      const found = await client.findCoordinator(GROUP, key.groupId)
      const { errorCode, offset, metadata } = await client.fetchOffset(key, false)
      const code = found || errorCode
      if (code === ErrorCode.NONE) {
        if (offset === NONE_COMMITTED || metadata === `at ${offset}`) return offset
        throw new Violation(`${key.groupId} has the offset ${offset}, '${metadata}'`)
      }
      if (!RETRIABLE.has(code) || retries > MAX_RETRIES) {
        throw new Violation(`OffsetFetch of ${key.groupId}: ${errorName(code)}`)
      }
      await sleep(this.#options.clock, RETRY_MS)
    }
  }
}

interface CommitterOptions extends GuestOptions {
  readonly key: OffsetKey
  readonly model: OffsetModel
  readonly topic: GuestTopic
  /** What the segments of the offsets topic are to be like. */
  readonly segmentBytes: string | undefined
}

class Committer implements Actor {
  readonly #options: CommitterOptions
  readonly #client: CoordinatorClient
  #hasConfigured = false
  #retries = 0

  constructor(options: CommitterOptions) {
    this.#options = options
    this.#client = options.connect()
  }

  async run(life: Life): Promise<void> {
    this.#retries = 0
    let hasCoordinator = false
    await actUntilOver(life, { ...this.#options, client: this.#client }, async () => {
      const { key, topic } = this.#options
      if (!(await topic.ensure(this.#client, life))) return
      if (!hasCoordinator) {
        const errorCode = await this.#client.findCoordinator(GROUP, key.groupId)
        if (!(await this.#succeeded('FindCoordinator', errorCode, life))) return
        hasCoordinator = true
        await this.#configure(life)
      }
      await this.#act(life)
    })
  }

  async #configure(life: Life): Promise<void> {
    const { segmentBytes } = this.#options
    if (this.#hasConfigured || segmentBytes === undefined) return
    const setting = ['internal.segment.bytes', segmentBytes] as const
    const errorCode = await this.#client.broker.setConfig(OFFSETS_TOPIC, ...setting)
    this.#hasConfigured = await this.#succeeded('AlterConfigs', errorCode, life)
  }

  async #act(life: Life): Promise<void> {
    const { key, model, random } = this.#options
    if (random.chance(0.2)) {
      const { errorCode, offset } = await this.#client.fetchOffset(key, false)
      if (await this.#succeeded('OffsetFetch', errorCode, life)) model.found(offset)
      return
    }
    for (let count = random.between(1, 5); count > 0 && !life.isOver; count--) {
      const offset = model.next()
      const errorCode = await this.#client.commitOffset(key, offset)
      if (!(await this.#succeeded('OffsetCommit', errorCode, life))) return
      model.acknowledge(offset)
    }
  }

  async #succeeded(what: string, errorCode: number, life: Life): Promise<boolean> {
    if (errorCode === ErrorCode.NONE) {
      this.#retries = 0
      return true
    }
    this.#retries += 1
    if (life.hasFaults) throw new RequestFailure(`${what}: ${errorName(errorCode)}`)
    if (!RETRIABLE.has(errorCode) || this.#retries > MAX_RETRIES) {
      throw new Violation(`${what} of ${this.#options.key.groupId}: ${errorName(errorCode)}`)
    }
    if (!life.isOver) await sleep(this.#options.clock, RETRY_MS)
    return false
  }
}
