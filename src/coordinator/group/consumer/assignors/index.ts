import { rangeAssignor } from './range-assignor.ts'
import { uniformAssignor } from './uniform-assignor.ts'

/** Every assignor there is, as `group.consumer.assignors` names them. */
export const assignorsByName = { uniform: uniformAssignor, range: rangeAssignor }
