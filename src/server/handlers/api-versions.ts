/**
 * ApiVersions (versions 0-4): what this broker serves. Clients ask it first, and many decide by the
 * advertised ranges which features to use, so a range is listed only where it is served whole, and
 * some reach lower than what is served because old clients look for that (`advertised`).
 *
 * Clients of transactions look at a finalized feature rather than at a version (KIP-890). Before
 * version 4, supported features that begin at 0 are left out: older clients fail on them.
 *
 * An unknown version is answered by the dispatcher (KIP-511).
 */
import { ApiVersions } from '../../protocol/messages/api-versions.ts'
import type { BrokerServices } from '../broker-services.ts'
import { SUPPORTED_FEATURES } from '../features.ts'
import type { AnyRequestHandler, RequestHandler } from '../request-handler.ts'

/** `handlers` are all those of the broker, this one included once it is made. */
export function apiVersionsHandler(
  handlers: readonly AnyRequestHandler[],
  { features, clientSoftware }: BrokerServices,
): RequestHandler<typeof ApiVersions> {
  return {
    api: ApiVersions,

    handle({ clientSoftwareName: name, clientSoftwareVersion: version }, context) {
      const { apiVersion } = context
      if (apiVersion >= 3) clientSoftware.set(context.connection, { name, version })
      const apiKeys = handlers
        .map(({ api }) => {
          const { min, max } = api.advertised
          return { apiKey: api.key, minVersion: min, maxVersion: max }
        })
        .sort((a, b) => a.apiKey - b.apiKey)
      const supported = [...SUPPORTED_FEATURES].filter(([, { min }]) => apiVersion >= 4 || min > 0)
      return {
        errorCode: 0,
        apiKeys,
        supportedFeatures: supported.map(([name, { min, max }]) => ({
          ...{ name, minVersion: min, maxVersion: max },
        })),
        finalizedFeaturesEpoch: features.epoch,
        finalizedFeatures: [...features.finalized].map(([name, level]) => ({
          ...{ name, minVersionLevel: level, maxVersionLevel: level },
        })),
      }
    },

    failure(_request, error) {
      return { errorCode: error.code, apiKeys: [] }
    },
  }
}
