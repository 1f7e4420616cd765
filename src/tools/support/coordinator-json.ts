/**
 * What coordinators have written into their topics, as JSON. `__consumer_offsets` has the
 * consumers' own bytes in it, which are shown opened where they can be.
 */
import { GROUP_RECORDS, GroupMetadataRecord } from '../../coordinator/group/group-records.ts'
import type { AnyCoordinatorRecordDefinition } from '../../coordinator/runtime/coordinator-record.ts'
import { ShareSnapshotRecord, ShareUpdateRecord } from '../../coordinator/share/share-records.ts'
import { TransactionLogRecord } from '../../coordinator/transaction/transaction-records.ts'
import { schemaCodec } from '../../protocol/compile.ts'
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  consumerProtocolVersion,
} from '../../protocol/consumer-protocol.ts'
import type { Schema } from '../../protocol/schema.ts'
import { includesVersion } from '../../protocol/schema.ts'
import { type Json, messageJson } from './message-json.ts'

export type CoordinatorTopic = 'group' | 'transaction' | 'share'

const DEFINITIONS: Readonly<Record<CoordinatorTopic, readonly AnyCoordinatorRecordDefinition[]>> = {
  group: GROUP_RECORDS,
  transaction: [TransactionLogRecord],
  share: [ShareSnapshotRecord, ShareUpdateRecord],
}

const PREFIX_SIZE = 2

export interface CoordinatorRecordJson {
  readonly type: number
  readonly key: Json
  /** Undefined for a tombstone. */
  readonly value: { readonly version: number; readonly data: Json } | undefined
}

/** The record is of a type that is not known here. */
export class UnknownRecordTypeError extends Error {
  readonly type: number

  constructor(type: number) {
    super(`Found an unknown record type ${type}`)
    this.type = type
  }
}

/**
 * Reads a record of a coordinator's topic; with `isRaw`, the consumers' own bytes stay what they
 * are. Throws UnknownRecordTypeError, and an Error in Kafka's
 * words for what cannot be read.
 */
export function coordinatorRecordJson(
  topic: CoordinatorTopic,
  key: Buffer,
  value: Buffer | null,
  options: { readonly isRaw?: boolean } = {},
): CoordinatorRecordJson {
  const type = readPrefix(key, 'key')
  const definition = DEFINITIONS[topic].find((one) => one.type === type)
  if (definition === undefined) throw new UnknownRecordTypeError(type)
  const decodedKey = read(definition.key, 0, key, `version ${type} from key's`)
  const keyJson = messageJson(definition.key, 0, decodedKey)
  if (value === null) return { type, key: keyJson, value: undefined }
  const version = readPrefix(value, 'value')
  if (!includesVersion(definition.value.versions, version)) {
    throw new Error(`Found an unknown record version ${version} for ${type} type`)
  }
  const decoded = read(definition.value, version, value, `version ${version} from value's`)
  const data = messageJson(definition.value, version, decoded)
  const isOpened = definition === GroupMetadataRecord && !options.isRaw
  const shown = isOpened ? openMembers(data) : data
  return { type, key: keyJson, value: { version, data: shown } }
}

function readPrefix(bytes: Buffer, name: string): number {
  if (bytes.length >= PREFIX_SIZE) return bytes.readInt16BE(0)
  throw new Error(`Could not read version from ${name}'s buffer.`)
}

function read(schema: Schema, version: number, bytes: Buffer, what: string): object {
  try {
    return schemaCodec(schema, version).decode(bytes, PREFIX_SIZE, bytes.length)
  } catch (error) {
    const { message } = error as Error
    throw new Error(`Could not read record with ${what} buffer due to: ${message}.`)
  }
}

/** A classic group of consumers: what its members want, and what they have. */
function openMembers(group: Json): Json {
  const { protocolType, members } = group as {
    protocolType: Json
    members: { [key: string]: Json }[]
  }
  if (protocolType !== 'consumer') return group
  const opened = members.map((member) => ({
    ...member,
    subscription: openBytes(ConsumerProtocolSubscription, member.subscription as string),
    assignment: openBytes(ConsumerProtocolAssignment, member.assignment as string),
  }))
  return { ...(group as object), members: opened }
}

/** What is in the bytes, or these themselves where it is something else. */
function openBytes(schema: Schema, base64: string): Json {
  const bytes = Buffer.from(base64, 'base64')
  try {
    const version = consumerProtocolVersion(bytes)
    const message = schemaCodec(schema, version).decode(bytes, PREFIX_SIZE, bytes.length)
    return messageJson(schema, version, message as object)
  } catch {
    return base64
  }
}
