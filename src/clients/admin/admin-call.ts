/**
 * Calls about many things, of which each may fail by itself.
 *
 * What failed for a passing reason is asked again, alone. In the end either all succeeded, or a
 * PartialFailureError tells of both.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import type { CallLimits } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { errorForCode, PartialFailureError, TimeoutError } from '../errors.ts'
import { partitionName, type TopicPartition } from '../topic-partition.ts'

/** What became of each thing, by its name. */
export type Outcomes<Result> = ReadonlyMap<string, Result | KafkaError>

/** Retriable as the protocol has it, but final to somebody who has asked for just that. */
const FINAL: readonly number[] = [
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.ELECTION_NOT_NEEDED,
  ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE,
  ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE,
  ErrorCode.REPLICA_NOT_AVAILABLE,
]

/** Whether it is worth asking again. */
export function isPassing(error: KafkaError): boolean {
  return error.retriable && !FINAL.includes(error.code) && !(error instanceof TimeoutError)
}

/** The outcome for an error code: `result`, or the error with what it is about in front. */
export function outcome<Result>(
  code: number,
  message: string | null | undefined,
  result: () => Result,
): Result | KafkaError {
  return code === ErrorCode.NONE ? result() : errorForCode(code, message)
}

/**
 * Makes `attempt` of all items, then of those that failed for a passing reason, and so on. Items
 * that an attempt says nothing of are taken as failed with UNKNOWN_SERVER_ERROR.
 */
export async function callForItems<Item, Result>(
  cluster: ClusterClient,
  limits: CallLimits,
  items: Iterable<readonly [name: string, item: Item]>,
  attempt: (items: readonly Item[]) => Promise<Outcomes<Result>>,
): Promise<Map<string, Result>> {
  const pending = new Map(items)
  const results = new Map<string, Result>()
  const failures = new Map<string, KafkaError>()
  if (pending.size === 0) return results
  await cluster.retry(limits, async () => {
    const outcomes = await attempt([...pending.values()])
    let passing: KafkaError | undefined
    for (const name of [...pending.keys()]) {
      const found = outcomes.get(name) ?? errorForCode(-1, 'The broker gave no answer')
      if (found instanceof KafkaError && isPassing(found)) {
        passing = found
        continue
      }
      pending.delete(name)
      if (found instanceof KafkaError) failures.set(name, found)
      else results.set(name, found)
    }
    if (passing === undefined) return
    if (passing.code !== ErrorCode.THROTTLING_QUOTA_EXCEEDED) cluster.invalidate()
    throw passing
  })
  if (failures.size > 0) throw new PartialFailureError(failures, results)
  return results
}

/** Calls for each item by itself, all at once. */
export async function collect<Item, Result>(
  items: Iterable<readonly [name: string, item: Item]>,
  call: (item: Item) => Promise<Result>,
): Promise<Map<string, Result>> {
  const results = new Map<string, Result>()
  const failures = new Map<string, KafkaError>()
  const named = [...items]
  await Promise.all(
    named.map(async ([name, item]) => {
      try {
        results.set(name, await call(item))
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        failures.set(name, error)
      }
    }),
  )
  if (failures.size > 0) throw new PartialFailureError(failures, results)
  const ordered = named.map(([name]) => [name, results.get(name)!] as const)
  return new Map(ordered)
}

/** As `callForItems` for partitions, each asked of its leader. */
export async function callForLeaders<Item extends TopicPartition, Result>(
  cluster: ClusterClient,
  limits: CallLimits,
  items: Iterable<Item>,
  attempt: (leaderId: number, items: readonly Item[]) => Promise<Outcomes<Result>>,
): Promise<Map<string, Result>> {
  const named = [...items].map((item) => [partitionName(item), item] as const)
  return await callForItems(cluster, limits, named, async (pending) => {
    const outcomes = new Map<string, Result | KafkaError>()
    const byLeader = new Map<number, Item[]>()
    for (const item of pending) {
      try {
        const { leaderId } = await cluster.leader(item.topic, item.partition, limits)
        byLeader.set(leaderId, [...(byLeader.get(leaderId) ?? []), item])
      } catch (error) {
        if (!(error instanceof KafkaError) || error instanceof TimeoutError) throw error
        outcomes.set(partitionName(item), error)
      }
    }
    await Promise.all(
      [...byLeader].map(async ([leaderId, led]) => {
        for (const [name, found] of await attempt(leaderId, led)) outcomes.set(name, found)
      }),
    )
    return outcomes
  })
}

/** Makes a request until it succeeds or fails for good; `check` throws what is in the response. */
export async function call<Response>(
  cluster: ClusterClient,
  limits: CallLimits,
  send: () => Promise<Response>,
  check: (response: Response) => void,
): Promise<Response> {
  return await cluster.retry(limits, async () => {
    const response = await send()
    try {
      check(response)
    } catch (error) {
      // The controller has moved, most likely.
      if (error instanceof KafkaError && error.retriable) cluster.invalidate()
      throw error
    }
    return response
  })
}
