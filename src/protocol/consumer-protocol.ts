/**
 * The consumer protocol: what consumers put into the opaque bytes of JoinGroup and SyncGroup, the
 * member's subscription and its assignment (ConsumerProtocolSubscription and
 * ConsumerProtocolAssignment in Kafka's sources).
 *
 * ```
 * version int16, fields        never in a flexible format
 * ```
 * Versions only ever add fields at the end. Bytes of a newer version are therefore read as the
 * newest one known here, and what follows is ignored, as Kafka does.
 */
import { KafkaError } from '../common/errors.ts'
import { ByteWriter } from './byte-writer.ts'
import { schemaCodec } from './compile.ts'
import type { Decoded, Encoded, Fields, Schema } from './schema.ts'
import { array, bytes, int32, schema, string } from './schema.ts'

/**
 * What a member wants. 1 adds what it owns (cooperative rebalancing, KIP-429), 2 since which
 * generation (KIP-792), 3 its rack (KIP-881).
 */
export const ConsumerProtocolSubscription = schema({
  name: 'ConsumerProtocolSubscription',
  versions: '0-3',
  flexible: 'none',
  fields: {
    topics: array(string()),
    userData: bytes({ nullable: '0+', default: null }),
    ownedPartitions: array(
      { topic: string(), partitions: array(int32()) },
      { versions: '1+', ignorable: true },
    ),
    generationId: int32({ versions: '2+', default: -1, ignorable: true }),
    rackId: string({ versions: '3+', nullable: '3+', default: null, ignorable: true }),
  },
})

/** What a member is given. All versions are alike. */
export const ConsumerProtocolAssignment = schema({
  name: 'ConsumerProtocolAssignment',
  versions: '0-3',
  flexible: 'none',
  fields: {
    assignedPartitions: array({ topic: string(), partitions: array(int32()) }),
    userData: bytes({ nullable: '0+', default: null }),
  },
})

export interface ConsumerSubscription extends Decoded<typeof ConsumerProtocolSubscription.fields> {}
export interface ConsumerAssignment extends Decoded<typeof ConsumerProtocolAssignment.fields> {}

const VERSION_SIZE = 2
/** Most messages fit; the others take several. */
const CHUNK_BYTES = 512

/** Reads a member's subscription. Throws KafkaError INVALID_REQUEST for what is none. */
export function decodeConsumerSubscription(subscription: Buffer): ConsumerSubscription {
  return decode(ConsumerProtocolSubscription, subscription)
}

/** Writes a member's subscription in `version`. */
export function encodeConsumerSubscription(
  subscription: Encoded<typeof ConsumerProtocolSubscription.fields>,
  version: number = ConsumerProtocolSubscription.versions.max,
): Buffer {
  return encode(ConsumerProtocolSubscription, subscription, version)
}

/** Reads a member's assignment. Throws KafkaError INVALID_REQUEST for what is none. */
export function decodeConsumerAssignment(assignment: Buffer): ConsumerAssignment {
  return decode(ConsumerProtocolAssignment, assignment)
}

/** Writes a member's assignment in `version`. */
export function encodeConsumerAssignment(
  assignment: Encoded<typeof ConsumerProtocolAssignment.fields>,
  version: number = ConsumerProtocolAssignment.versions.max,
): Buffer {
  return encode(ConsumerProtocolAssignment, assignment, version)
}

/** The version that a subscription or an assignment begins with. */
export function consumerProtocolVersion(message: Buffer): number {
  if (message.length < VERSION_SIZE) {
    throw new KafkaError('INVALID_REQUEST', 'A message of the consumer protocol has no version')
  }
  const version = message.readInt16BE(0)
  if (version >= 0) return version
  throw new KafkaError('INVALID_REQUEST', `The consumer protocol has no version ${version}`)
}

function decode<F extends Fields>(of: Schema<F>, message: Buffer): Decoded<F> {
  const version = Math.min(consumerProtocolVersion(message), of.versions.max)
  return schemaCodec(of, version).decode(message, VERSION_SIZE, message.length)
}

function encode<F extends Fields>(of: Schema<F>, message: Encoded<F>, version: number): Buffer {
  const writer = new ByteWriter(CHUNK_BYTES)
  writer.int16(version)
  schemaCodec(of, version).encode(message, writer)
  return Buffer.concat(writer.finish())
}
