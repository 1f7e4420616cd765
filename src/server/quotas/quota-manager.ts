/**
 * Enforces the quotas of clients. Every quota works alike: what a client does is recorded, and when
 * that puts it above its limit, it is told to wait as long as brings the rate back to the limit.
 *
 * The waiting is the dispatcher's business (KIP-219): the response goes out at once and says how
 * long, and the connection is not read from meanwhile.
 */
import type { Clock } from '../../common/clock.ts'
import type { BrokerConfig } from '../../common/config/broker-config.ts'
import { KafkaError } from '../../common/errors.ts'
import type { ClientQuotas } from './client-quotas.ts'
import { QuotaScopes } from './quota-scopes.ts'
import type { QuotaKey } from './quota-values.ts'
import { TokenBucket } from './token-bucket.ts'
import { WindowedRate } from './windowed-rate.ts'

/** Who sends a request. */
export interface QuotaClient {
  readonly user: string
  readonly clientId: string | null
}

/** How a rate is measured. */
interface Windows {
  readonly count: number
  readonly ms: number
}

/** One kind of rate that is limited. */
export class RateQuota {
  readonly #scopes: QuotaScopes<WindowedRate>
  readonly #clock: Clock
  readonly #windows: Windows
  readonly #maxThrottleMs: number

  constructor(options: {
    quotas: ClientQuotas
    key: QuotaKey
    clock: Clock
    windows: Windows
    maxThrottleMs?: number
  }) {
    const { count, ms } = options.windows
    this.#windows = options.windows
    this.#clock = options.clock
    this.#maxThrottleMs = options.maxThrottleMs ?? Number.POSITIVE_INFINITY
    const newMeter = () => new WindowedRate(count, ms)
    this.#scopes = new QuotaScopes(options.quotas, options.key, newMeter)
  }

  /** Whether any client has such a quota. */
  get isUsed(): boolean {
    return this.#scopes.isUsed
  }

  /** Notes that a client has used `amount`. Returns for how many milliseconds it has to wait. */
  record(client: QuotaClient, amount: number): number {
    const nowMs = this.#clock.monotonic()
    const scope = this.#scopes.find(client.user, client.clientId ?? '', nowMs)
    if (scope === undefined) return 0
    const { limit, meter } = scope
    meter.record(amount, nowMs)
    const rate = meter.rate(nowMs)
    if (rate <= limit) return 0
    const throttleMs = Math.round(((rate - limit) / limit) * meter.spanMs(nowMs))
    return Math.min(throttleMs, this.#maxThrottleMs)
  }

  /** Takes back what was recorded a moment ago: the client has not got it after all. */
  takeBack(client: QuotaClient, amount: number): void {
    const nowMs = this.#clock.monotonic()
    const scope = this.#scopes.find(client.user, client.clientId ?? '', nowMs)
    scope?.meter.record(-amount, nowMs)
  }

  /** The most that a client may use at once after a silence, without having to wait. */
  burst(client: QuotaClient): number {
    const nowMs = this.#clock.monotonic()
    const scope = this.#scopes.find(client.user, client.clientId ?? '', nowMs)
    if (scope === undefined) return Number.POSITIVE_INFINITY
    return (scope.limit * (this.#windows.count - 1) * this.#windows.ms) / 1000
  }
}

class MutationMeter {
  readonly bucket: TokenBucket
  readonly #clearMs: number
  #usedMs: number

  constructor(capacity: number, clearMs: number, nowMs: number) {
    this.bucket = new TokenBucket(capacity, nowMs)
    this.#clearMs = clearMs
    this.#usedMs = nowMs
  }

  use(permits: number, nowMs: number): void {
    this.bucket.take(permits)
    this.#usedMs = nowMs
  }

  /** An untouched bucket has filled up again after some time, and is as good as a new one. */
  isIdle(nowMs: number): boolean {
    return nowMs - this.#usedMs > this.#clearMs
  }
}

/** After this long without a change of a topic, a client's bucket is forgotten, as in Kafka. */
const MUTATION_IDLE_MS = 3_600_000

/** The permits that one request needs, topic by topic. */
export interface Mutations {
  /** Takes permits for the change of so many partitions. Throws THROTTLING_QUOTA_EXCEEDED. */
  take(partitions: number): void
  /** How long the client has to wait after the request. */
  throttleMs(): number
}

const UNLIMITED: Mutations = { take() {}, throttleMs: () => 0 }

/** All quotas of clients. */
export class QuotaManager {
  readonly produce: RateQuota
  readonly fetch: RateQuota
  /** Per cent of the time of one thread: the event loop is one. */
  readonly request: RateQuota
  readonly #clock: Clock
  readonly #mutations: QuotaScopes<MutationMeter>
  /** For how long permits may be saved up. */
  readonly #mutationSeconds: number

  constructor(options: { quotas: ClientQuotas; clock: Clock; config: BrokerConfig }) {
    const { quotas, clock, config } = options
    const windows: Windows = {
      count: config.get('quota.window.num'),
      ms: config.get('quota.window.size.seconds') * 1000,
    }
    this.produce = new RateQuota({ quotas, key: 'producer_byte_rate', clock, windows })
    this.fetch = new RateQuota({ quotas, key: 'consumer_byte_rate', clock, windows })
    this.request = new RateQuota({
      ...{ quotas, key: 'request_percentage', clock, windows },
      // One slow request shall not shut a client out for long.
      maxThrottleMs: windows.ms,
    })
    this.#clock = clock
    this.#mutationSeconds =
      config.get('controller.quota.window.num') * config.get('controller.quota.window.size.seconds')
    this.#mutations = new QuotaScopes(
      quotas,
      'controller_mutation_rate',
      (limit, nowMs) => new MutationMeter(limit * this.#mutationSeconds, MUTATION_IDLE_MS, nowMs),
    )
  }

  /**
   * The permits of a request that changes topics (KIP-599). A strict one is refused what is above
   * the quota; clients that do not know that error are let through and made to wait.
   */
  mutations(client: QuotaClient, isStrict: boolean): Mutations {
    const found = this.#mutations.find(client.user, client.clientId ?? '', this.#clock.monotonic())
    if (found === undefined) return UNLIMITED
    const { limit, meter } = found
    const capacity = limit * this.#mutationSeconds
    const clock = this.#clock
    const waitMs = () => meter.bucket.waitMs(limit, capacity, clock.monotonic())
    let mustWait = false
    return {
      take(partitions) {
        const isExceeded = waitMs() > 0
        if (isStrict && isExceeded) {
          mustWait = true
          throw new KafkaError('THROTTLING_QUOTA_EXCEEDED')
        }
        meter.use(partitions, clock.monotonic())
        if (!isStrict) mustWait ||= waitMs() > 0
      },
      throttleMs: () => (mustWait ? waitMs() : 0),
    }
  }
}
