/**
 * Metrics of clients (KIP-714): which of them are wanted of which client, and whether a push may
 * come now. A client asks for its subscription, pushes once per interval, and asks anew when the
 * broker no longer knows the subscription it pushes for.
 *
 * Served, and advertised, only where there is a receiver.
 */
import type { Clock } from '../../common/clock.ts'
import { COMPRESSION_TYPES, decompress } from '../../common/compression/compression.ts'
import {
  type ClientAttribute,
  type ClientMetricsConfig,
  parseClientPatterns,
} from '../../common/config/client-metrics-config.ts'
import { crc32c } from '../../common/crc32c.ts'
import { KafkaError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import type { ConfigNodes } from '../config-nodes.ts'
import type { TelemetryReceiver } from './telemetry-receiver.ts'

/** What a client's subscription is made of; patterns are matched against `attributes`. */
export interface TelemetryClient {
  readonly attributes: Readonly<Partial<Record<ClientAttribute, string>>>
}

export interface Subscription {
  readonly id: number
  readonly metrics: readonly string[]
  readonly intervalMs: number
}

interface Instance {
  subscription: Subscription
  /** Of which state of all subscriptions `subscription` was made. */
  version: number
  lastGetMs: number
  lastPushMs: number
  isTerminating: boolean
  /** The last push was refused so that a new subscription must be asked for. */
  mustAskAnew: boolean
}

const DEFAULT_INTERVAL_MS = 300_000
const ALL_METRICS = '*'
/** Clients remembered; those not heard of for longest are forgotten first. */
const MAX_INSTANCES = 16_384

export class ClientTelemetry {
  readonly maxBytes: number
  readonly #subscriptions: ConfigNodes<ClientMetricsConfig>
  readonly #receiver: TelemetryReceiver
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Logger
  /** Least recently used first. */
  readonly #instances = new Map<string, Instance>()
  #version = 0

  constructor(options: {
    subscriptions: ConfigNodes<ClientMetricsConfig>
    receiver: TelemetryReceiver
    clock: Clock
    random: Random
    log: Logger
    /** `telemetry.max.bytes` */
    maxBytes: number
  }) {
    this.#subscriptions = options.subscriptions
    this.#receiver = options.receiver
    this.#clock = options.clock
    this.#random = options.random
    this.#log = options.log
    this.maxBytes = options.maxBytes
    options.subscriptions.onChange(() => {
      this.#version += 1
    })
  }

  /**
   * What is wanted of a client; one that has no instance id yet gets one. Throws
   * THROTTLING_QUOTA_EXCEEDED for one that asks more often than it is to push.
   */
  subscribe(
    instanceId: string,
    client: TelemetryClient,
  ): { instanceId: string; subscription: Subscription } {
    const id = instanceId === ZERO_UUID ? this.#random.bytes(16).toString('base64url') : instanceId
    const instance = this.#instance(id, client)
    const nowMs = this.#clock.monotonic()
    const lastMs = Math.max(instance.lastGetMs, instance.lastPushMs)
    if (!instance.mustAskAnew && nowMs - lastMs < instance.subscription.intervalMs) {
      throw tooEarly(id)
    }
    instance.lastGetMs = nowMs
    instance.mustAskAnew = false
    return { instanceId: id, subscription: instance.subscription }
  }

  /** Takes metrics of a client. Throws KafkaError. */
  push(
    push: {
      instanceId: string
      subscriptionId: number
      isTerminating: boolean
      compressionType: number
      metrics: Buffer
    },
    client: TelemetryClient,
  ): void {
    const { instanceId, isTerminating, metrics } = push
    if (instanceId === ZERO_UUID) {
      const message = `Invalid request from the client [${instanceId}], invalid client instance id`
      throw new KafkaError('INVALID_REQUEST', message)
    }
    const instance = this.#instance(instanceId, client)
    this.#checkTime(instance, instanceId, isTerminating)
    instance.isTerminating = isTerminating
    instance.mustAskAnew = push.subscriptionId !== instance.subscription.id
    if (instance.mustAskAnew) {
      const message = `Unknown client subscription id for the client [${instanceId}]`
      throw new KafkaError('UNKNOWN_SUBSCRIPTION_ID', message)
    }
    if (COMPRESSION_TYPES[push.compressionType] === undefined) {
      instance.mustAskAnew = true
      throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE')
    }
    if (metrics.length > this.maxBytes) throw this.#tooLarge(instanceId)
    if (metrics.length === 0) return
    const bytes = this.#decompressed(push.compressionType, metrics, instanceId)
    const clientId = client.attributes.client_id ?? null
    try {
      this.#receiver.receive({
        ...{ clientInstanceId: instanceId, clientId, isTerminating, metrics: bytes },
      })
    } catch (error) {
      this.#log.error(`the metrics of the client ${instanceId} were not taken`, error)
      throw new KafkaError('INVALID_RECORD')
    }
  }

  #checkTime(instance: Instance, instanceId: string, isTerminating: boolean): void {
    if (instance.isTerminating) {
      throw new KafkaError(
        'INVALID_REQUEST',
        `Client [${instanceId}] sent the previous request with state terminating to TRUE, ` +
          'can not accept any requests after that',
      )
    }
    const nowMs = this.#clock.monotonic()
    // The first push comes when it likes, so that clients do not all come at once.
    const isFirst = instance.lastGetMs > instance.lastPushMs
    const isDue = isFirst || nowMs - instance.lastPushMs >= instance.subscription.intervalMs
    if (!isDue && !isTerminating) throw tooEarly(instanceId)
    if (isDue) instance.lastPushMs = nowMs
  }

  #decompressed(type: number, metrics: Buffer, instanceId: string): Buffer {
    try {
      return decompress(type, metrics, this.maxBytes)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      if (error.errorName === 'MESSAGE_TOO_LARGE') throw this.#tooLarge(instanceId)
      throw new KafkaError('INVALID_RECORD', error.message)
    }
  }

  #tooLarge(instanceId: string): KafkaError {
    return new KafkaError(
      'TELEMETRY_TOO_LARGE',
      `Telemetry request from [${instanceId}] is larger than the maximum allowed size ` +
        `[${this.maxBytes}]`,
    )
  }

  /** What is known of a client, with the subscription as it is now. */
  #instance(id: string, client: TelemetryClient): Instance {
    const known = this.#instances.get(id)
    this.#instances.delete(id)
    const instance = known?.version === this.#version ? known : this.#newInstance(id, client)
    this.#instances.set(id, instance)
    if (this.#instances.size > MAX_INSTANCES) {
      this.#instances.delete(this.#instances.keys().next().value!)
    }
    return instance
  }

  #newInstance(id: string, client: TelemetryClient): Instance {
    const subscription = this.#subscriptionOf(id, client)
    const never = Number.NEGATIVE_INFINITY
    return {
      ...{ subscription, version: this.#version, lastGetMs: never, lastPushMs: never },
      ...{ isTerminating: false, mustAskAnew: false },
    }
  }

  #subscriptionOf(id: string, { attributes }: TelemetryClient): Subscription {
    const described = { ...attributes, client_instance_id: id }
    const matching = this.#subscriptions
      .names()
      .map((name) => this.#subscriptions.get(name))
      .filter((config) =>
        [...parseClientPatterns(config.get('match'))].every(([attribute, pattern]) =>
          pattern.test(described[attribute] ?? ''),
        ),
      )
    const wanted = new Set(matching.flatMap((config) => config.get('metrics')))
    const metrics = wanted.has(ALL_METRICS) ? [ALL_METRICS] : [...wanted].sort()
    const intervalMs = Math.min(
      DEFAULT_INTERVAL_MS,
      ...matching.map((config) => config.get('interval.ms')),
    )
    // Another id whenever anything about the subscription, or who it is for, is another.
    const identity = Buffer.from(JSON.stringify([metrics, intervalMs, id]))
    return { id: crc32c(identity, 0, identity.length) | 0, metrics, intervalMs }
  }
}

function tooEarly(instanceId: string): KafkaError {
  return new KafkaError(
    'THROTTLING_QUOTA_EXCEEDED',
    `Request from the client [${instanceId}] arrived before the next push interval time`,
  )
}
