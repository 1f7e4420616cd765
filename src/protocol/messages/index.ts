/** The table of the protocol: every API that Samsa knows, by its key. */
import type { Api } from '../schema.ts'
import { ApiVersions } from './api-versions.ts'
import { CreateTopics } from './create-topics.ts'
import { Fetch } from './fetch.ts'
import { Metadata } from './metadata.ts'
import { Produce } from './produce.ts'

/** Every API, in the order of the keys. */
export const APIS: readonly Api[] = [Produce, Fetch, Metadata, ApiVersions, CreateTopics]

const byKey: (Api | undefined)[] = []
for (const api of APIS) byKey[api.key] = api

/** The API with a key, or undefined where there is none. */
export function apiByKey(key: number): Api | undefined {
  return byKey[key]
}
