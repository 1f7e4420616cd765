/** The version of this package, where the tools look for it. */
export { version } from '../common/version.ts'
