/** The settings of a tool's producer: as Java's producer understands what a command line says. */
import { PRODUCER_CONFIG } from '../../clients/config/producer-config.ts'
import { knownSettings, type Settings } from './client-settings.ts'

const DELIVERY_TIMEOUT_MS = 120_000

/**
 * What is known of `settings`, as Producer takes it. A default gives way to what was asked for:
 * without `enable.idempotence`, a producer is idempotent if the rest allows it, and
 * `delivery.timeout.ms` is as long as a request and its lingering take. Throws ToolError.
 */
export function producerSettings(settings: Settings): Record<string, string> {
  const merged = new Map(settings)
  const isIdempotent =
    ['all', '-1'].includes(settings.get('acks') ?? 'all') &&
    settings.get('retries') !== '0' &&
    Number(settings.get('max.in.flight.requests.per.connection') ?? 5) <= 5
  if (!isIdempotent && !settings.has('enable.idempotence') && !settings.has('transactional.id')) {
    merged.set('enable.idempotence', 'false')
  }
  const leastMs =
    Number(settings.get('linger.ms') ?? 5) + Number(settings.get('request.timeout.ms') ?? 30_000)
  if (leastMs > DELIVERY_TIMEOUT_MS && !settings.has('delivery.timeout.ms')) {
    merged.set('delivery.timeout.ms', String(leastMs))
  }
  return knownSettings(PRODUCER_CONFIG, merged)
}
