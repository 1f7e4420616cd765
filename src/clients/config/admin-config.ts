/** Configuration of an admin client: the keys that all clients have. */
import { defineConfig } from '../../common/config/config-definition.ts'
import { COMMON_KEYS } from './common-keys.ts'

export const ADMIN_CONFIG = defineConfig(COMMON_KEYS)
