/** What an application sends. */

/** A header's value may be text, which is written as UTF-8. */
export type HeaderValue = Uint8Array | string | null

/** By name, or as a list where a name comes more than once. */
export type RecordHeaders =
  | Readonly<Record<string, HeaderValue>>
  | readonly { readonly key: string; readonly value: HeaderValue }[]

export interface ProducerRecord<Key = unknown, Value = unknown> {
  readonly topic: string
  /** Without it the partitioner chooses. */
  readonly partition?: number | undefined
  readonly key?: Key | null | undefined
  /** Null is a tombstone. */
  readonly value: Value | null
  readonly headers?: RecordHeaders | undefined
  /** In milliseconds since the epoch; without it, now. */
  readonly timestamp?: number | undefined
}

const NO_HEADERS: { key: string; value: Uint8Array | null }[] = []

/** The headers as a batch takes them. */
export function headerList(headers: RecordHeaders | undefined) {
  if (headers === undefined) return NO_HEADERS
  const list = Array.isArray(headers)
    ? (headers as readonly { key: string; value: HeaderValue }[])
    : Object.entries(headers as Record<string, HeaderValue>).map(([key, value]) => ({ key, value }))
  return list.map(({ key, value }) => {
    return { key, value: typeof value === 'string' ? Buffer.from(value) : value }
  })
}
