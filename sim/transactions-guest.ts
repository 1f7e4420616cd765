/**
 * Transactional producers over some partitions and the offsets of their groups, and what a reader
 * of committed records finds after each start of the broker.
 */
import { sleep } from '../src/common/clock.ts'
import { ErrorCode, errorName } from '../src/common/errors.ts'
import type { CoordinatorClient } from './coordinator-client.ts'
import { GROUP, type OffsetKey } from './coordinator-client.ts'
import {
  type Actor,
  type Guest,
  type GuestOptions,
  GuestTopic,
  type LifeEnd,
  RETRIABLE,
} from './guest.ts'
import { readLog } from './log-reading.ts'
import { Violation } from './partition-model.ts'
import { TransactionModel } from './transaction-model.ts'
import { TransactionalProducer } from './transactional-producer.ts'

/** How long after a transaction's time readers may have to wait, at most. */
const SLACK_MS = 5000
const POLLS = 40

export class TransactionsGuest implements Guest {
  readonly #options: GuestOptions
  readonly #topic: GuestTopic
  readonly #model: TransactionModel
  readonly #producers: { id: string; key: OffsetKey; actor: TransactionalProducer }[]
  readonly #timeoutMs: number
  /** Of a transaction whose coordinator has lost it the end may never come. */
  #mayHang = false
  #mayHaveCoordinators = false

  constructor(options: GuestOptions) {
    const { random, connect, clock } = options
    this.#options = options
    this.#topic = new GuestTopic('x0', 3, chooseConfigs(options))
    this.#model = new TransactionModel(this.#topic.name)
    this.#timeoutMs = random.pick([300, 1000, 10_000])
    this.#producers = [0, 1].map((index) => {
      const id = `x-${index}`
      const key = { groupId: 'shared', topic: this.#topic.name, partition: index + 1 }
      const actor = new TransactionalProducer({
        ...{ transactionalId: id, timeoutMs: this.#timeoutMs, offsetKey: key },
        ...{ topic: this.#topic, model: this.#model },
        ...{ client: connect(), clock, random: random.fork() },
      })
      return { id, key, actor }
    })
  }

  actors(): readonly Actor[] {
    this.#mayHaveCoordinators = true
    return this.#producers.map(({ actor }) => actor)
  }

  async verify(): Promise<void> {
    const { random } = this.#options
    await this.#check(random.chance(0.4))
  }

  async settle(): Promise<void> {
    await this.#check(true)
  }

  crashed({ isLossy, hadFaults }: LifeEnd): void {
    if (isLossy) {
      this.#model.lose()
      this.#mayHang = true
    }
    for (const { actor } of this.#producers) {
      if (isLossy) actor.expectLoss()
      else if (hadFaults) actor.expectFencing()
    }
  }

  async #check(untilSettled: boolean): Promise<void> {
    const client = this.#options.connect()
    if (await this.#topic.settle(client)) {
      if (untilSettled && !this.#mayHang) await this.#waitForEnds(client)
      for (let partition = 0; partition < this.#topic.partitions; partition++) {
        await this.#checkPartition(client, partition)
      }
      if (this.#mayHaveCoordinators)
        await this.#checkOffsets(client, untilSettled && !this.#mayHang)
    }
    client.close()
  }

  /** Every open transaction must end by itself when its time is over. */
  async #waitForEnds(client: CoordinatorClient): Promise<void> {
    const { clock } = this.#options
    const limitMs = this.#timeoutMs + SLACK_MS
    const deadlineMs = clock.monotonic() + limitMs
    for (let partition = 0; partition < this.#topic.partitions; partition++) {
      for (;;) {
        const { offset: end } = await client.logEnd(this.#topic.name, partition, 0)
        const { offset: stable } = await client.logEnd(this.#topic.name, partition, 1)
        if (stable === end) break
        if (clock.monotonic() > deadlineMs) {
          const name = `${this.#topic.name}-${partition}`
          throw new Violation(`${name} ends at ${end}, but nothing from ${stable} on is decided`)
        }
        await sleep(clock, limitMs / POLLS)
      }
    }
  }

  async #checkPartition(client: CoordinatorClient, partition: number): Promise<void> {
    const { name: topic, isCompacted } = this.#topic
    const log = { topic, partition, isCompacted }
    const { records, end } = await readLog(client, log, 1, this.#options.random)
    const found = records.map(({ key, value, offset }) => {
      const id = String(key)
      if (!String(value).startsWith(id)) throw new Violation(`${id} has the value ${value}`)
      return { id, offset }
    })
    this.#model.found(partition, found, end)
  }

  async #checkOffsets(client: CoordinatorClient, isStable: boolean): Promise<void> {
    for (const { id, key } of this.#producers) {
      const offset = await this.#fetchOffset(client, key, isStable)
      this.#model.foundOffset(id, offset, isStable)
    }
  }

  /** The committed offset, perhaps waiting for the transactions over it to end. */
  async #fetchOffset(
    client: CoordinatorClient,
    key: OffsetKey,
    isStable: boolean,
  ): Promise<number> {
    const { clock } = this.#options
    const limitMs = this.#timeoutMs + SLACK_MS
    const deadlineMs = clock.monotonic() + limitMs
    for (;;) {
      // Nobody has found the coordinator yet, perhaps.
      const found = await client.findCoordinator(GROUP, key.groupId)
      const { errorCode, offset } = await client.fetchOffset(key, isStable)
      if (found === ErrorCode.NONE && errorCode === ErrorCode.NONE) return offset
      const code = errorCode || found
      if (!RETRIABLE.has(code) || clock.monotonic() > deadlineMs) {
        throw new Violation(`OffsetFetch of ${key.groupId}: ${errorName(code)}`)
      }
      await sleep(clock, limitMs / POLLS)
    }
  }
}

/** Sometimes compacted: keys are never used twice, so that must change nothing for readers. */
function chooseConfigs({ random }: GuestOptions): Map<string, string> {
  const configs = new Map([['internal.segment.bytes', random.pick(['1000', '2000', '8000'])]])
  if (random.chance(0.4)) {
    configs.set('cleanup.policy', 'compact')
    configs.set('min.cleanable.dirty.ratio', random.pick(['0', '0.5']))
    configs.set('delete.retention.ms', random.pick(['0', '100', '86400000']))
  }
  return configs
}
