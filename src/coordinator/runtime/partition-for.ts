/** Which partition of an internal topic looks after a key: a group id or a transactional id. */

/** As Kafka's `Utils.abs(key.hashCode()) % partitionCount`, so that the logs stay compatible. */
export function partitionFor(key: string, partitionCount: number): number {
  let hash = 0
  for (let i = 0; i < key.length; i++) hash = (Math.imul(31, hash) + key.charCodeAt(i)) | 0
  // Java's Utils.abs: the one int without a positive counterpart counts as 0.
  return (hash === -0x8000_0000 ? 0 : Math.abs(hash)) % partitionCount
}
