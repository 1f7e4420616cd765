/** What the log cleaner may use, by the configuration of the broker as it is now. */
import type { BrokerConfig } from '../common/config/broker-config.ts'
import type { CleanerSettings } from '../storage/cleaner-settings.ts'

export function cleanerSettingsOf(config: BrokerConfig): CleanerSettings {
  return {
    threads: config.get('log.cleaner.threads'),
    dedupeBufferBytes: config.get('log.cleaner.dedupe.buffer.size'),
    loadFactor: config.get('log.cleaner.io.buffer.load.factor'),
    ioBufferBytes: config.get('log.cleaner.io.buffer.size'),
    ioMaxBytesPerSecond: config.get('log.cleaner.io.max.bytes.per.second'),
    backoffMs: config.get('log.cleaner.backoff.ms'),
  }
}
