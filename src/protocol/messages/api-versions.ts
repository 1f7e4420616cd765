/**
 * ApiVersions tells which APIs and versions a broker has; most clients open with it.
 *
 * A client that does not know the broker may ask in a version too new for it. The answer is then a
 * version 0 body with UNSUPPORTED_VERSION, and its header is version 0 in every version, so that it
 * can be read before anything is known (KIP-511). 3 names the client's software and brings features
 * (KIP-584); 4 permits features whose lowest version is 0 (KIP-1022).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int16, int32, int64, string } from '../schema.ts'

export const ApiVersions = api({
  key: 18,
  name: 'ApiVersions',
  versions: '0-4',
  flexible: '3+',
  request: {
    clientSoftwareName: string({ versions: '3+', ignorable: true }),
    clientSoftwareVersion: string({ versions: '3+', ignorable: true }),
  },
  response: {
    errorCode: int16(),
    apiKeys: array({ apiKey: int16(), minVersion: int16(), maxVersion: int16() }),
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    supportedFeatures: array(
      { name: string(), minVersion: int16(), maxVersion: int16() },
      { versions: '3+', ignorable: true, tag: 0 },
    ),
    /** -1: unknown. */
    finalizedFeaturesEpoch: int64({ versions: '3+', default: -1, ignorable: true, tag: 1 }),
    finalizedFeatures: array(
      { name: string(), maxVersionLevel: int16(), minVersionLevel: int16() },
      { versions: '3+', ignorable: true, tag: 2 },
    ),
    zkMigrationReady: bool({ versions: '3+', default: false, ignorable: true, tag: 3 }),
  },
})

export interface ApiVersionsRequest extends RequestOf<typeof ApiVersions> {}
export interface ApiVersionsResponse extends ResponseOf<typeof ApiVersions> {}
