/**
 * ApiVersions (versions 0-4): what this broker serves. Clients ask it first, and many decide by the
 * advertised ranges which features to use, so a range is listed only where it is served whole, and
 * some reach lower than what is served because old clients look for that (`advertised`).
 *
 * An unknown version is answered by the dispatcher (KIP-511).
 */
import { ApiVersions } from '../../protocol/messages/api-versions.ts'
import type { AnyRequestHandler, RequestHandler } from '../request-handler.ts'

/** `handlers` are all those of the broker, this one included once it is made. */
export function apiVersionsHandler(
  handlers: readonly AnyRequestHandler[],
): RequestHandler<typeof ApiVersions> {
  return {
    api: ApiVersions,

    handle() {
      const apiKeys = handlers
        .map(({ api }) => {
          const { min, max } = api.advertised
          return { apiKey: api.key, minVersion: min, maxVersion: max }
        })
        .sort((a, b) => a.apiKey - b.apiKey)
      return { errorCode: 0, apiKeys }
    },

    failure(_request, error) {
      return { errorCode: error.code, apiKeys: [] }
    },
  }
}
