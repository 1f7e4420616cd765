/** The order in which Java's HashMap goes through its keys, where tools print what is in one. */

/** `String.hashCode`. */
export function javaHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0
  return hash
}

/**
 * The items in the order of a HashMap with these keys, put in one by one, that was made for
 * `capacity` of them.
 */
export function inHashOrder<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  capacity = 16,
): Item[] {
  let buckets = 1
  while (buckets < capacity) buckets *= 2
  while (items.length > buckets * 0.75) buckets *= 2
  const bucketOf = (item: Item) => {
    const hash = javaHash(keyOf(item))
    return (hash ^ (hash >>> 16)) & (buckets - 1)
  }
  return items
    .map((item) => [bucketOf(item), item] as const)
    .sort(([one], [other]) => one - other)
    .map(([, item]) => item)
}
