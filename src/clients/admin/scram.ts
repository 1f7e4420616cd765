/** The admin client's calls about the passwords of users (KIP-554). */
import { AlterUserScramCredentials } from '../../protocol/messages/alter-user-scram-credentials.ts'
import { DescribeUserScramCredentials } from '../../protocol/messages/describe-user-scram-credentials.ts'
import type { CallOptions } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { throwIfError } from '../errors.ts'
import { call, callForItems, outcome } from './admin-call.ts'

/** With the numbers of the protocol. */
const MECHANISMS = { 'SCRAM-SHA-256': 1, 'SCRAM-SHA-512': 2 } as const
export type ScramMechanism = keyof typeof MECHANISMS

export interface ScramCredential {
  readonly mechanism: ScramMechanism
  readonly iterations: number
}

/** See `Admin.describeUserScramCredentials`. */
export async function describeUserScramCredentials(
  cluster: ClusterClient,
  users: Iterable<string> | undefined,
  options: CallOptions,
): Promise<Map<string, ScramCredential[]>> {
  const limits = cluster.limits(options)
  const names = users === undefined ? null : [...users]
  const ask = async (asked: readonly string[] | null) => {
    const request = { users: asked === null ? null : asked.map((name) => ({ name })) }
    const send = () => cluster.sendToController(DescribeUserScramCredentials, request, limits)
    return await call(cluster, limits, send, ({ errorCode, errorMessage }) =>
      throwIfError(errorCode, errorMessage),
    )
  }
  const all = names === null || names.length === 0 ? await ask(null) : undefined
  const items = (names?.length ? names : all!.results.map(({ user }) => user)).map(
    (name) => [name, name] as const,
  )
  return await callForItems(cluster, limits, items, async (pending) => {
    const { results } = all ?? (await ask(pending))
    return new Map(
      results.map(({ user, errorCode, errorMessage, credentialInfos }) => {
        const credentials = () =>
          credentialInfos.map(({ mechanism, iterations }) => {
            const found = Object.entries(MECHANISMS).find(([, number]) => number === mechanism)
            return { mechanism: (found?.[0] ?? 'UNKNOWN') as ScramMechanism, iterations }
          })
        return [user, outcome(errorCode, errorMessage, credentials)]
      }),
    )
  })
}

/** A password to set, as RFC 5802 has it. */
export interface ScramUpsertion extends ScramCredential {
  readonly user: string
  readonly salt: Uint8Array
  /** Hi(password, salt, iterations): PBKDF2 with the hash of the mechanism. */
  readonly saltedPassword: Uint8Array
}

export interface ScramDeletion {
  readonly user: string
  readonly mechanism: ScramMechanism
}

/** See `Admin.alterUserScramCredentials`. */
export async function alterUserScramCredentials(
  cluster: ClusterClient,
  changes: Iterable<ScramUpsertion | ScramDeletion>,
  options: CallOptions,
): Promise<void> {
  const limits = cluster.limits(options)
  const byUser = [...Map.groupBy(changes, ({ user }) => user)]
  await callForItems(cluster, limits, byUser, async (pending) => {
    const asked = pending.flat()
    const request = {
      deletions: asked
        .filter((change) => !('saltedPassword' in change))
        .map(({ user, mechanism }) => ({ name: user, mechanism: MECHANISMS[mechanism] })),
      upsertions: asked
        .filter((change) => 'saltedPassword' in change)
        .map(({ user, mechanism, iterations, salt, saltedPassword }) => ({
          ...{ name: user, mechanism: MECHANISMS[mechanism], iterations },
          ...{ salt: Buffer.from(salt), saltedPassword: Buffer.from(saltedPassword) },
        })),
    }
    const { results } = await cluster.sendToController(AlterUserScramCredentials, request, limits)
    return new Map(
      results.map(({ user, errorCode, errorMessage }) => {
        return [user, outcome(errorCode, errorMessage, () => true)]
      }),
    )
  })
}
