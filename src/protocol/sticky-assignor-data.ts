/**
 * What sticky assignors put into the user data of a subscription: what the member was assigned
 * before, and in which generation. Unlike the subscription around it this has no version in front;
 * `sticky` has grown a field at its end, which may therefore be missing.
 */
import { KafkaError } from '../common/errors.ts'
import { ByteWriter } from './byte-writer.ts'
import { schemaCodec } from './compile.ts'
import { array, int32, schema, string } from './schema.ts'

/** Of `sticky`. 1 adds the generation. */
export const StickyAssignorData = schema({
  name: 'StickyAssignorData',
  versions: '0-1',
  flexible: 'none',
  fields: {
    previousAssignment: array({ topic: string(), partitions: array(int32()) }),
    generation: int32({ versions: '1+', default: -1 }),
  },
})

/** Of `cooperative-sticky`, which reads what a member owns in its subscription. */
export const CooperativeStickyAssignorData = schema({
  name: 'CooperativeStickyAssignorData',
  versions: '0',
  flexible: 'none',
  fields: { generation: int32() },
})

export interface StickyData {
  readonly previousAssignment: readonly {
    readonly topic: string
    readonly partitions: readonly number[]
  }[]
  /** -1 where it is not known. */
  readonly generation: number
}

const CHUNK_BYTES = 512

export function encodeStickyData(data: StickyData): Buffer {
  const writer = new ByteWriter(CHUNK_BYTES)
  schemaCodec(StickyAssignorData, 1).encode(data, writer)
  return Buffer.concat(writer.finish())
}

/** Reads either version. What is neither means nothing, as it does to Java's client. */
export function decodeStickyData(data: Buffer): StickyData {
  for (const version of [1, 0]) {
    const decoded = attempt(() =>
      schemaCodec(StickyAssignorData, version).decode(data, 0, data.length),
    )
    if (decoded !== undefined) return decoded
  }
  return { previousAssignment: [], generation: -1 }
}

export function encodeCooperativeStickyData(generation: number): Buffer {
  const writer = new ByteWriter(CHUNK_BYTES)
  schemaCodec(CooperativeStickyAssignorData, 0).encode({ generation }, writer)
  return Buffer.concat(writer.finish())
}

/** The generation; -1 for what is not such data. */
export function decodeCooperativeStickyData(data: Buffer): number {
  const decode = () => schemaCodec(CooperativeStickyAssignorData, 0).decode(data, 0, data.length)
  return attempt(decode)?.generation ?? -1
}

function attempt<Result>(decode: () => Result): Result | undefined {
  try {
    return decode()
  } catch (error) {
    if (error instanceof KafkaError) return undefined
    throw error
  }
}
