/** The settings of a tool's consumer. */
import { CONSUMER_CONFIG } from '../../clients/config/consumer-config.ts'
import { knownSettings, type Settings } from './client-settings.ts'

/** What is known of `settings`, as Consumer takes it. Throws ToolError. */
export function consumerSettings(settings: Settings): Record<string, string> {
  return knownSettings(CONSUMER_CONFIG, settings)
}
