/** The assignors that there are, and those that a configuration asks for. */
import { ConfigError } from '../../../common/config/config-value.ts'
import type { Assignor } from './assignor.ts'
import { rangeAssignor } from './range-assignor.ts'
import { roundRobinAssignor } from './round-robin-assignor.ts'
import { CooperativeStickyAssignor, StickyAssignor } from './sticky-assignors.ts'

const JAVA_PACKAGE = 'org.apache.kafka.clients.consumer.'

/** By Kafka's name and by that of the class in Java's client. */
const MAKERS: ReadonlyMap<string, () => Assignor> = new Map(
  Object.entries({
    range: () => rangeAssignor,
    RangeAssignor: () => rangeAssignor,
    roundrobin: () => roundRobinAssignor,
    'round-robin': () => roundRobinAssignor,
    RoundRobinAssignor: () => roundRobinAssignor,
    sticky: () => new StickyAssignor(),
    StickyAssignor: () => new StickyAssignor(),
    'cooperative-sticky': () => new CooperativeStickyAssignor(),
    CooperativeStickyAssignor: () => new CooperativeStickyAssignor(),
  }),
)

const NAMES = ['range', 'roundrobin', 'sticky', 'cooperative-sticky']

/**
 * The assignors of `partition.assignment.strategy` for one consumer, in the order of preference;
 * the `custom` ones may be among the names, and stand before all others if they are not. Throws
 * ConfigError for a name that is unknown or given twice.
 */
export function createAssignors(
  strategy: readonly string[],
  custom: readonly Assignor[] = [],
): Assignor[] {
  const own = new Map(custom.map((assignor) => [assignor.name, assignor]))
  const named = strategy.map((name) => {
    const found = own.get(name) ?? MAKERS.get(name.replace(JAVA_PACKAGE, ''))?.()
    if (found !== undefined) return found
    const reason = `Expected one of ${[...NAMES, ...own.keys()].join(', ')}`
    throw ConfigError.invalidValue('partition.assignment.strategy', name, reason)
  })
  const unnamed = custom.filter((assignor) => !named.includes(assignor))
  const all = [...unnamed, ...named]
  const names = new Set<string>()
  for (const { name } of all) {
    if (!names.has(name)) names.add(name)
    else throw new ConfigError(`The assignor ${name} is given twice`)
  }
  return all
}

/** Members keep what they own while they rebalance if all of their assignors can deal with that. */
export function rebalanceProtocolOf(assignors: readonly Assignor[]): 'eager' | 'cooperative' {
  return assignors.every(({ protocol }) => protocol === 'cooperative') ? 'cooperative' : 'eager'
}
