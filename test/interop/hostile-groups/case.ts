/**
 * Requests to the coordinators that ask for what cannot be, and the errors that Apache Kafka 4.2
 * answers them with: what such a case is, and how it is written down.
 */
import { errorName } from '../../../src/common/errors.ts'
import {
  type Api,
  type Fields,
  includesVersion,
  type RequestInput,
} from '../../../src/protocol/schema.ts'

/** What the cases find on the broker. */
export interface Scene {
  /** A topic with two partitions, and its id. */
  readonly topic: string
  readonly topicId: string
  /** A classic group with one member, in its first generation, that reads the topic. */
  readonly live: {
    readonly groupId: string
    readonly memberId: string
    readonly generationId: number
  }
  /** A consumer group with one member. */
  readonly modern: { readonly groupId: string; readonly memberId: string; readonly epoch: number }
  /** A transactional producer. */
  readonly producer: {
    readonly transactionalId: string
    readonly producerId: number
    readonly producerEpoch: number
  }
}

export interface GroupCase {
  readonly name: string
  readonly api: Api
  readonly version: number
  readonly request: (scene: Scene) => unknown
  /** The names of all error codes in the response, in any order. */
  readonly expected: readonly string[]
}

/** One case: what is asked, and every error code of the answer, by name and in any order. */
export function ask<A extends Api>(
  name: string,
  api: A,
  version: number,
  request: (scene: Scene) => RequestInput<A>,
  ...expected: string[]
): GroupCase {
  return { name: `${api.name} ${version}: ${name}`, api, version, request, expected }
}

/** Every error code that a response has in its version, by name. */
export function errorsIn(api: Api, version: number, response: unknown): string[] {
  return errorsOf(api.response.fields, version, response)
}

function errorsOf(fields: Fields, version: number, value: unknown): string[] {
  return Object.entries(fields).flatMap(([key, field]) => {
    const member = (value as Record<string, unknown>)[key]
    if (!includesVersion(field.versions, version) || member === null) return []
    if (/errorCode$/i.test(key)) return [errorName(member as number)]
    if (field.fields !== undefined) return errorsOf(field.fields, version, member)
    const ofElements = field.element?.fields
    if (ofElements === undefined) return []
    return (member as unknown[]).flatMap((element) => errorsOf(ofElements, version, element))
  })
}

/** A subscription to the topic `orders`. */
export const subscription = Buffer.from('00000000000100066f7264657273ffffffff', 'hex')
/** A topic id that there is not. */
export const noId = 'AAAAAAAAAAAAAAAAAAAAAQ'
/** A member id that nobody has. */
export const strangerId = 'mIPzQ5rVT0mM3QfGg2QjcA'
/** An offset to commit. */
export const offset = { committedOffset: 1, committedLeaderEpoch: -1, committedMetadata: '' }

/** That offset, committed for the first partition of a topic. */
export function offsetIn(name: string) {
  return [{ name, partitions: [{ partitionIndex: 0, ...offset }] }]
}
