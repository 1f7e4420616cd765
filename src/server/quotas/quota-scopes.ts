/**
 * Which limit a client falls under, and with whom it shares it. Kafka looks for a quota in this
 * order, and the first there is counts:
 *
 * ```
 *    user        client id     who shares the limit
 * 1  alice       etl           alice's clients of that id
 * 2  alice       <default>     alice's clients of that id
 * 3  alice       –             all of alice's
 * 4  <default>   etl           the user's clients of that id
 * 5  <default>   <default>     the user's clients of that id
 * 6  <default>   –             all of the user's
 * 7  –           etl           all clients of that id, whoever the user is
 * 8  –           <default>     all clients of that id, whoever the user is
 * ```
 */
import type { ClientQuotas } from './client-quotas.ts'
import type { EntityName } from './quota-entity.ts'
import type { QuotaKey } from './quota-values.ts'

/** What is measured together under one limit. */
interface Scope<M> {
  readonly limit: number
  readonly meter: M
}

interface Meter {
  /** Whether nothing would be lost by forgetting it. */
  isIdle(nowMs: number): boolean
}

type Client = readonly [user: string, clientId: string]
type Level = (...client: Client) => readonly [user: EntityName, clientId: EntityName, scope: string]

const both = (user: string, clientId: string) => `${user}\0${clientId}`

const LEVELS: readonly Level[] = [
  (user, clientId) => [user, clientId, both(user, clientId)],
  (user, clientId) => [user, null, both(user, clientId)],
  (user) => [user, undefined, both(user, '')],
  (user, clientId) => [null, clientId, both(user, clientId)],
  (user, clientId) => [null, null, both(user, clientId)],
  (user) => [null, undefined, both(user, '')],
  (_user, clientId) => [undefined, clientId, both('', clientId)],
  (_user, clientId) => [undefined, null, both('', clientId)],
]

/** Meters are looked through for idle ones when there are this many more than the last time. */
const SWEEP_AFTER = 1000

export class QuotaScopes<M extends Meter> {
  readonly #quotas: ClientQuotas
  readonly #key: QuotaKey
  readonly #newMeter: (limit: number, nowMs: number) => M
  readonly #meters = new Map<string, M>()
  /** What was found for clients since the last change of quotas. */
  readonly #found = new Map<string, Scope<M> | undefined>()
  #isUsed = false
  #sweepAt = SWEEP_AFTER

  constructor(quotas: ClientQuotas, key: QuotaKey, newMeter: (limit: number, nowMs: number) => M) {
    this.#quotas = quotas
    this.#key = key
    this.#newMeter = newMeter
    quotas.onChange(() => this.#changed())
  }

  /** Whether any client has a quota of this kind: as long as not, nothing needs to be measured. */
  get isUsed(): boolean {
    return this.#isUsed
  }

  /** The limit of a client with its meter; undefined where it has none. */
  find(user: string, clientId: string, nowMs: number): Scope<M> | undefined {
    if (!this.#isUsed) return undefined
    const client = both(user, clientId)
    const found = this.#found.get(client)
    if (found !== undefined || this.#found.has(client)) return found
    if (this.#found.size + this.#meters.size >= this.#sweepAt) this.#sweep(nowMs)
    const scope = this.#look(user, clientId, nowMs)
    this.#found.set(client, scope)
    return scope
  }

  #look(user: string, clientId: string, nowMs: number): Scope<M> | undefined {
    for (const level of LEVELS) {
      const [levelUser, levelClientId, name] = level(user, clientId)
      const entity = { user: levelUser, clientId: levelClientId, ip: undefined }
      const limit = this.#quotas.quota(entity, this.#key)
      if (limit === undefined) continue
      let meter = this.#meters.get(name)
      if (meter === undefined) {
        meter = this.#newMeter(limit, nowMs)
        this.#meters.set(name, meter)
      }
      return { limit, meter }
    }
    return undefined
  }

  #changed(): void {
    this.#found.clear()
    this.#isUsed = [...this.#quotas.all()].some(({ quotas }) => quotas.has(this.#key))
    if (!this.#isUsed) this.#meters.clear()
  }

  /** Forgets meters that measure nothing, so that ever new client ids do not fill the memory. */
  #sweep(nowMs: number): void {
    this.#found.clear()
    for (const [name, meter] of this.#meters) {
      if (meter.isIdle(nowMs)) this.#meters.delete(name)
    }
    this.#sweepAt = this.#meters.size + SWEEP_AFTER
  }
}
