/**
 * Java's deserializers, by the names of their classes, as far as Kafka brings them along: what is
 * printed of the data is what Java's `toString` makes of it.
 */
import { javaDouble, javaFloat } from '../support/java-numbers.ts'
import { ToolError } from '../support/tool.ts'

/** Gives what is printed. Throws ToolError for bytes that it cannot read. */
export type TextOf = (bytes: Buffer) => string | Buffer

const PACKAGE = 'org.apache.kafka.common.serialization.'
const UUID = /^[0-9a-f]{1,8}-[0-9a-f]{1,4}-[0-9a-f]{1,4}-[0-9a-f]{1,4}-[0-9a-f]{1,12}$/i

const DESERIALIZERS: Readonly<Record<string, TextOf>> = {
  StringDeserializer: (bytes) => bytes.toString(),
  /** An array of bytes has no text in Java; the bytes themselves say more. */
  ByteArrayDeserializer: (bytes) => bytes,
  BytesDeserializer: printable,
  ByteBufferDeserializer: ({ length }) => {
    return `java.nio.HeapByteBuffer[pos=0 lim=${length} cap=${length}]`
  },
  ShortDeserializer: ofSize(2, 'ShortDeserializer', (bytes) => String(bytes.readInt16BE())),
  IntegerDeserializer: ofSize(4, 'IntegerDeserializer', (bytes) => String(bytes.readInt32BE())),
  LongDeserializer: ofSize(8, 'LongDeserializer', (bytes) => String(bytes.readBigInt64BE())),
  FloatDeserializer: ofSize(4, 'Deserializer', (bytes) => javaFloat(bytes.readFloatBE())),
  DoubleDeserializer: ofSize(8, 'Deserializer', (bytes) => javaDouble(bytes.readDoubleBE())),
  BooleanDeserializer: ofSize(1, 'BooleanDeserializer', (bytes) => {
    const [byte] = bytes
    if (byte === 0 || byte === 1) return String(byte === 1)
    throw serializationError(
      `Unexpected byte received by BooleanDeserializer: ${(byte! << 24) >> 24}`,
    )
  }),
  UUIDDeserializer: (bytes) => {
    const text = bytes.toString()
    if (UUID.test(text)) return padded(text.toLowerCase())
    throw serializationError('Error parsing data into UUID')
  },
  VoidDeserializer: () => {
    const className = 'java.lang.IllegalArgumentException'
    throw new ToolError('Data should be null for a VoidDeserializer.', { className })
  },
}

/** The deserializer of that class; undefined if there is none. */
export function deserializerOf(className: string): TextOf | undefined {
  if (!className.startsWith(PACKAGE)) return undefined
  const name = className.slice(PACKAGE.length)
  return Object.hasOwn(DESERIALIZERS, name) ? DESERIALIZERS[name] : undefined
}

function ofSize(size: number, name: string, read: TextOf): TextOf {
  return (bytes) => {
    if (bytes.length === size) return read(bytes)
    throw serializationError(`Size of data received by ${name} is not ${size}`)
  }
}

function serializationError(message: string): ToolError {
  const className = 'org.apache.kafka.common.errors.SerializationException'
  return new ToolError(message, { className })
}

/** ASCII as it is, and all else in hexadecimal. */
function printable(bytes: Buffer): string {
  let text = ''
  for (const byte of bytes) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x5c
    text += isPlain ? String.fromCharCode(byte) : `\\x${hex(byte)}`
  }
  return text
}

const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0')

/** Java takes shorter groups, and prints them whole. */
function padded(uuid: string): string {
  const sizes = [8, 4, 4, 4, 12]
  return uuid
    .split('-')
    .map((group, index) => group.padStart(sizes[index]!, '0'))
    .join('-')
}
