/** What the keys about logs allow, for the broker's definition and the topic's alike. */
import { between, type Validator } from './config-definition.ts'
import { ConfigError } from './config-value.ts'

export const CLEANUP_POLICIES = ['compact', 'delete'] as const
export const TIMESTAMP_TYPES = ['CreateTime', 'LogAppendTime'] as const
export const COMPRESSION_TYPES = [
  'uncompressed',
  'zstd',
  'lz4',
  'snappy',
  'gzip',
  'producer',
] as const

export const LZ4_LEVELS = between(1, 17)
export const ZSTD_LEVELS = between(-131072, 22)

/** Levels 1 to 9, and -1 for the default of zlib. */
export const gzipLevel: Validator = (name, value, shown) => {
  const level = value as number
  if (level === -1 || (level >= 1 && level <= 9)) return
  throw ConfigError.invalidValue(name, shown, 'Value must be between 1 and 9 or equal to -1')
}

/** `*`, or a list of partition:broker. */
export const throttledReplicas: Validator = (name, value, shown) => {
  const replicas = value as readonly string[]
  if (replicas.length === 1 && replicas[0] === '*') return
  if (replicas.every((replica) => /^\d+:\d+$/.test(replica))) return
  throw ConfigError.invalidValue(
    name,
    `[${shown}]`,
    `${name} must be the literal '*' or a list of replicas in the following format: ` +
      '[partitionId]:[brokerId],[partitionId]:[brokerId],...',
  )
}
