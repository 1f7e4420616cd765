/**
 * What must hold between the session timeout and the heartbeat interval of a kind of group, and the
 * limits of both: the kinds (`group.consumer`, `group.share`) have the same keys below their names.
 */
import { ConfigError } from './config-value.ts'

/** Throws ConfigError, in Kafka's words, unless each pair of keys below `kind` is in order. */
export function demandOrder(
  get: (name: never) => unknown,
  kind: 'group.consumer' | 'group.share',
): void {
  const value = (key: string) => get(`${kind}.${key}` as never) as number
  const demand = (holds: boolean, key: string, relation: string, other: string) => {
    if (!holds) throw new ConfigError(`${kind}.${key} must be ${relation} ${kind}.${other}`)
  }
  for (const key of ['heartbeat.interval.ms', 'session.timeout.ms']) {
    const [min, max] = [`min.${key}`, `max.${key}`]
    demand(value(max) >= value(min), max, 'greater than or equal to', min)
    demand(value(key) >= value(min), key, 'greater than or equal to', min)
    demand(value(key) <= value(max), key, 'less than or equal to', max)
  }
  demand(
    value('heartbeat.interval.ms') < value('session.timeout.ms'),
    'heartbeat.interval.ms',
    'less than',
    'session.timeout.ms',
  )
}
