/**
 * UpdateFeatures changes the finalized levels of the cluster's features (KIP-584).
 *
 * 1 says which kind of change is meant (1 upgrade, 2 safe downgrade, 3 unsafe downgrade) and can
 * validate only; 2 no longer answers feature by feature: all are changed or none.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int8, int16, int32, string } from '../schema.ts'

export const UpdateFeatures = api({
  key: 57,
  name: 'UpdateFeatures',
  versions: '0-2',
  flexible: '0+',
  request: {
    timeoutMs: int32({ default: 60000 }),
    featureUpdates: array({
      feature: string(),
      maxVersionLevel: int16(),
      allowDowngrade: bool({ versions: '0' }),
      upgradeType: int8({ versions: '1+', default: 1 }),
    }),
    validateOnly: bool({ versions: '1+', default: false }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+' }),
    results: array(
      { feature: string(), errorCode: int16(), errorMessage: string({ nullable: '0+' }) },
      { versions: '0-1', ignorable: true },
    ),
  },
})

export interface UpdateFeaturesRequest extends RequestOf<typeof UpdateFeatures> {}
export interface UpdateFeaturesResponse extends ResponseOf<typeof UpdateFeatures> {}
