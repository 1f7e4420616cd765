/** Takes back the settings that were changed while a broker ran. */
import { ConfigSource } from '../common/config/config.ts'
import type { BrokerServices } from '../server/broker-services.ts'

/** Quotas, and what was set for brokers, groups and the metrics of clients. */
export async function resetSettings(services: BrokerServices): Promise<void> {
  const { clientQuotas, configs } = services
  for (const { entity, quotas } of [...clientQuotas.all()]) {
    const removed = new Map([...quotas.keys()].map((key) => [key, null]))
    await clientQuotas.alter(entity, removed, false)
  }
  const { DYNAMIC_BROKER_CONFIG, DYNAMIC_DEFAULT_BROKER_CONFIG } = ConfigSource
  for (const source of [DYNAMIC_BROKER_CONFIG, DYNAMIC_DEFAULT_BROKER_CONFIG] as const) {
    if (configs.brokerEntries(source).size > 0) await configs.setBroker(source, new Map(), false)
  }
  for (const nodes of [configs.groups, configs.clientMetrics]) {
    for (const name of nodes.names()) await nodes.set(name, new Map(), false)
  }
}
