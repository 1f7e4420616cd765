/** Counts, and tells who listens: a client's connections to brokers, requests and retries. */
import type { Clock } from '../../common/clock.ts'
import type { Diagnostics, DiagnosticsChannel } from '../../common/diagnostics.ts'
import type { KafkaError } from '../../common/errors.ts'
import type { ClientEvents } from './client-events.ts'
import { Distribution, Meter } from './measures.ts'
import type { CONNECTION_METRICS, MetricValues } from './metric-names.ts'

interface Address {
  readonly host: string
  readonly port: number
}

export interface ObserverOptions {
  readonly clientId: string
  readonly clock: Clock
  readonly diagnostics: Diagnostics
}

/** The channel of one kind of event. */
export function eventChannel<Name extends keyof ClientEvents>(
  diagnostics: Diagnostics,
  name: Name,
): DiagnosticsChannel<ClientEvents[Name]> {
  return diagnostics.channel(name)
}

export class ClusterObserver {
  readonly clientId: string
  readonly clock: Clock
  readonly diagnostics: Diagnostics
  readonly #requestChannel: DiagnosticsChannel<ClientEvents['samsa:clients:request']>
  readonly #connectionChannel: DiagnosticsChannel<ClientEvents['samsa:clients:connection']>
  readonly #retryChannel: DiagnosticsChannel<ClientEvents['samsa:clients:retry']>
  readonly #opened = new Meter()
  readonly #closed = new Meter()
  readonly #requests = new Meter()
  readonly #latency = new Distribution()
  #failedRequests = 0
  #retries = 0

  constructor({ clientId, clock, diagnostics }: ObserverOptions) {
    this.clientId = clientId
    this.clock = clock
    this.diagnostics = diagnostics
    this.#requestChannel = eventChannel(diagnostics, 'samsa:clients:request')
    this.#connectionChannel = eventChannel(diagnostics, 'samsa:clients:connection')
    this.#retryChannel = eventChannel(diagnostics, 'samsa:clients:retry')
  }

  connectionOpened(address: Address): void {
    this.#opened.record(1, this.clock.monotonic())
    this.#tellConnection('opened', address, undefined)
  }

  connectionClosed(address: Address, error: KafkaError | undefined): void {
    this.#closed.record(1, this.clock.monotonic())
    this.#tellConnection('closed', address, error)
  }

  connectionFailed(address: Address, error: KafkaError): void {
    this.#tellConnection('failed', address, error)
  }

  /** `startMs` is on the monotonic clock. */
  requestEnded(
    { host, port }: Address,
    api: string,
    startMs: number,
    error: KafkaError | undefined,
  ): void {
    const nowMs = this.clock.monotonic()
    const durationMs = nowMs - startMs
    this.#requests.record(1, nowMs)
    this.#latency.record(durationMs, nowMs)
    if (error !== undefined) this.#failedRequests += 1
    if (!this.#requestChannel.hasSubscribers) return
    const { clientId } = this
    this.#requestChannel.publish({ clientId, api, host, port, durationMs, error })
  }

  retried(failures: number, delayMs: number, error: KafkaError): void {
    this.#retries += 1
    if (!this.#retryChannel.hasSubscribers) return
    this.#retryChannel.publish({ clientId: this.clientId, failures, delayMs, error })
  }

  values(): MetricValues<typeof CONNECTION_METRICS> {
    const nowMs = this.clock.monotonic()
    return {
      'connection-count': this.#opened.total - this.#closed.total,
      'connection-creation-total': this.#opened.total,
      'connection-creation-rate': this.#opened.rate(nowMs),
      'connection-close-total': this.#closed.total,
      'connection-close-rate': this.#closed.rate(nowMs),
      'request-total': this.#requests.total,
      'request-rate': this.#requests.rate(nowMs),
      'request-latency-avg': this.#latency.average(nowMs),
      'request-latency-max': this.#latency.max(nowMs),
      'failed-request-total': this.#failedRequests,
      'retry-total': this.#retries,
    }
  }

  #tellConnection(
    state: 'opened' | 'closed' | 'failed',
    { host, port }: Address,
    error: KafkaError | undefined,
  ): void {
    if (!this.#connectionChannel.hasSubscribers) return
    this.#connectionChannel.publish({ clientId: this.clientId, state, host, port, error })
  }
}
