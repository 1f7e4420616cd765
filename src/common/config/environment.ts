/**
 * Configuration from environment variables, by the rule of Kafka's container images:
 * `KAFKA_LOG_SEGMENT_BYTES` is `log.segment.bytes`. Two underscores stand for one underscore, three
 * for a dash.
 */

/** Variables for the scripts that start a broker, not for the broker. */
const NOT_MAPPED = new Set([
  'KAFKA_VERSION',
  'KAFKA_HEAP_OPTS',
  'KAFKA_LOG4J_OPTS',
  'KAFKA_OPTS',
  'KAFKA_JMX_OPTS',
  'KAFKA_JVM_PERFORMANCE_OPTS',
  'KAFKA_GC_LOG_OPTS',
  'KAFKA_LOG4J_ROOT_LOGLEVEL',
  'KAFKA_LOG4J_LOGGERS',
  'KAFKA_TOOLS_LOG4J_LOGLEVEL',
  'KAFKA_JMX_HOSTNAME',
])

const PREFIX = 'KAFKA_'
const SEPARATORS: Record<string, string> = { _: '.', __: '_', ___: '-' }

/** The settings among `variables`, sorted by key. */
export function environmentConfig(
  variables: Readonly<Record<string, string | undefined>>,
): Map<string, string> {
  const entries: [string, string][] = []
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined || !name.startsWith(PREFIX) || NOT_MAPPED.has(name)) continue
    const rest = name.slice(PREFIX.length).toLowerCase()
    if (rest !== '') entries.push([rest.replace(/_{1,3}/g, (run) => SEPARATORS[run]!), value])
  }
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
