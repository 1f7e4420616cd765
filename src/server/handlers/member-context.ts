/** Who sends a request to a coordinator, in the words that groups are described with. */
import type { MemberContext } from '../../coordinator/group/classic/joining.ts'
import type { RequestContext } from '../request-handler.ts'

export function memberContext({ clientId, connection, apiVersion }: RequestContext): MemberContext {
  // An address as Java prints it, which is what every tool shows.
  return { clientId: clientId ?? '', clientHost: `/${connection.remoteHost}`, apiVersion }
}
