/**
 * An admin client that fails in the words of Kafka's own: where no broker is to be found, a call
 * says which call it was, and servers without an address are the fault of the settings.
 */
import { lookup } from 'node:dns/promises'
import type { Admin } from '../../clients/admin/admin.ts'
import { parseBootstrapServers } from '../../clients/cluster/bootstrap-servers.ts'
import { ConfigError, KafkaError, PartialFailureError, TimeoutError } from '../../clients/errors.ts'
import type { Logger } from '../../common/logger.ts'
import { ToolError } from './tool.ts'

/** What Kafka says when a client cannot be made. */
export const SETUP_FAILURES = {
  admin: 'Failed to create new KafkaAdminClient',
  producer: 'Failed to construct kafka producer',
  consumer: 'Failed to construct kafka consumer',
  shareConsumer: 'Failed to construct Kafka share consumer',
} as const

export type ClientKind = keyof typeof SETUP_FAILURES

/** The error of a client that could not be made, `cause` being why. */
export class SetupError extends ToolError {
  constructor(reason: string, kind: ClientKind) {
    super(SETUP_FAILURES[kind], {
      className: 'org.apache.kafka.common.KafkaException',
    })
    this.cause = new ToolError(reason, {
      className: 'org.apache.kafka.common.config.ConfigException',
    })
  }
}

/** Throws SetupError for what is no address. */
export function checkServers(servers: readonly string[], kind: ClientKind): void {
  for (const server of servers) {
    try {
      parseBootstrapServers([server])
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      throw new SetupError(`Invalid url in bootstrap.servers: ${server}`, kind)
    }
  }
}

/** Throws SetupError if none of the servers has an address. */
export async function resolveServers(
  servers: readonly string[],
  log: Logger,
  kind: ClientKind,
): Promise<void> {
  const found = await Promise.all(
    parseBootstrapServers(servers).map(async ({ host, port }) => {
      const address = await lookup(host).catch(() => undefined)
      if (address !== undefined) return true
      log.warn(
        `Couldn't resolve server ${host}:${port} from bootstrap.servers as DNS resolution failed ` +
          `for ${host} (org.apache.kafka.clients.ClientUtils)`,
      )
      return false
    }),
  )
  if (found.includes(true)) return
  throw new SetupError('No resolvable bootstrap urls given in bootstrap.servers', kind)
}

/** The client, but with calls that wait for `ready`, and fail as those of Kafka's client. */
export function inKafkasWords(admin: Admin, ready: Promise<void>): Admin {
  return new Proxy(admin, {
    get(target, name) {
      const member = target[name as keyof Admin] as unknown
      if (typeof member !== 'function') return member
      if (name === 'close' || typeof name === 'symbol') return member.bind(target)
      return async (...args: unknown[]) => {
        await ready
        try {
          return await member.apply(target, args)
        } catch (error) {
          throw inWordsOf(name, error)
        }
      }
    },
  })
}

/** What calls are named in Kafka's client, and of what they wait, where that is not our name. */
const CALLS: Readonly<Record<string, string>> = {
  describeGroups: 'describeConsumerGroups(api=FIND_COORDINATOR)',
  describeShareGroups: 'describeShareGroups(api=FIND_COORDINATOR)',
  deleteGroups: 'deleteConsumerGroups(api=FIND_COORDINATOR)',
  listGroupOffsets: 'offsetFetch(api=FIND_COORDINATOR)',
  alterGroupOffsets: 'offsetCommit(api=FIND_COORDINATOR)',
  deleteGroupOffsets: 'offsetDelete(api=FIND_COORDINATOR)',
  describeTransactions: 'describeTransactions(api=FIND_COORDINATOR)',
  fenceProducers: 'fenceProducer(api=FIND_COORDINATOR)',
  listTransactions: 'listTransactions(api=METADATA)',
  describeProducers: 'describeProducers(api=METADATA)',
  describeTopics: 'listNodes',
}

function inWordsOf(call: string, error: unknown): unknown {
  if (error instanceof PartialFailureError) {
    const failures = [...error.failures].map(([name, failure]) => {
      return [name, inWordsOf(call, failure) as KafkaError] as const
    })
    return new PartialFailureError(new Map(failures), error.results)
  }
  if (isUnreachable(error)) {
    if (call === 'listGroups') {
      return new ToolError('Failed to find brokers to send ListGroups', {
        className: 'org.apache.kafka.common.KafkaException',
      })
    }
    const name = CALLS[call] ?? call
    return new TimeoutError(`Timed out waiting for a node assignment. Call: ${name}`)
  }
  if (error instanceof KafkaError && error.errorName === 'UNSUPPORTED_VERSION') {
    const api = /^No version of (\w+) is common: the broker does not serve it/.exec(error.message)
    if (api === null) return error
    const name = api[1]!.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()
    return new KafkaError('UNSUPPORTED_VERSION', `The node does not support ${name}`)
  }
  return error
}

/** Whether a call is over because no broker could be spoken to. */
function isUnreachable(error: unknown): boolean {
  if (!(error instanceof TimeoutError)) return false
  const cause = error.cause as KafkaError | undefined
  return ['NETWORK_EXCEPTION', 'BROKER_NOT_AVAILABLE'].includes(cause?.errorName ?? '')
}
