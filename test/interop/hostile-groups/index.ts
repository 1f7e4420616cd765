/** Every case, of all coordinators. */

import type { GroupCase } from './case.ts'
import { classicGroupCases } from './classic-groups.ts'
import { consumerGroupCases } from './consumer-groups.ts'
import { groupAdministrationCases } from './group-administration.ts'
import { groupOffsetCases } from './group-offsets.ts'
import { shareGroupCases } from './share-groups.ts'
import { transactionCases } from './transactions.ts'

export const groupCases: readonly GroupCase[] = [
  ...classicGroupCases,
  ...groupOffsetCases,
  ...groupAdministrationCases,
  ...consumerGroupCases,
  ...transactionCases,
  ...shareGroupCases,
]
