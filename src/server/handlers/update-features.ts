/**
 * UpdateFeatures (versions 0-2, KIP-584): changes finalized levels of features, all or none.
 * Version 0 says with a flag that a downgrade is meant; from 1 on the kind of change is named, and
 * 2 leaves out results feature by feature, which would all be the same.
 */
import { ErrorCode } from '../../common/errors.ts'
import { UpdateFeatures } from '../../protocol/messages/update-features.ts'
import type { BrokerServices } from '../broker-services.ts'
import { FeatureChange } from '../features.ts'
import type { RequestHandler } from '../request-handler.ts'

export function updateFeaturesHandler({
  features,
}: BrokerServices): RequestHandler<typeof UpdateFeatures> {
  return {
    api: UpdateFeatures,

    async handle({ featureUpdates, validateOnly }, { apiVersion }) {
      const updates = featureUpdates.map((update) => {
        const { feature, maxVersionLevel: level, allowDowngrade, upgradeType } = update
        const flagged = allowDowngrade ? FeatureChange.SAFE_DOWNGRADE : FeatureChange.UPGRADE
        return { feature, level, change: apiVersion === 0 ? flagged : upgradeType }
      })
      await features.update(updates, validateOnly)
      return {
        ...{ errorCode: ErrorCode.NONE, errorMessage: null },
        results: updates.map(({ feature }) => ({
          ...{ feature, errorCode: ErrorCode.NONE, errorMessage: 'NONE' },
        })),
      }
    },

    failure: (_request, { code: errorCode, message: errorMessage }) => ({
      ...{ errorCode, errorMessage, results: [] },
    }),
  }
}
