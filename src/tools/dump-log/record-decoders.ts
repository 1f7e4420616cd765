/** What is shown of a record's key and value. */
import {
  type CoordinatorTopic,
  coordinatorRecordJson,
  UnknownRecordTypeError,
} from '../support/coordinator-json.ts'
import { jsonText } from '../support/message-json.ts'
import { ToolError } from '../support/tool.ts'

export interface ShownRecord {
  readonly key: string | undefined
  readonly payload: string | undefined
}

export type RecordDecoder = (
  offset: number,
  key: Buffer | null,
  value: Buffer | null,
) => ShownRecord

/** What shows bytes, by the class of Kafka's that does it. */
const BYTES_DECODERS: Readonly<Record<string, (bytes: Buffer) => string>> = {
  StringDecoder: (bytes) => bytes.toString('utf8'),
  IntegerDecoder: (bytes) => String(bytes.readInt32BE(0)),
  LongDecoder: (bytes) => String(bytes.readBigInt64BE(0)),
  // Java prints the address of the bytes, of which nobody has anything.
  DefaultDecoder: (bytes) => bytes.toString('hex'),
}

/** Where such classes are, and were before Kafka 4. */
const PACKAGES = ['org.apache.kafka.tools.api.', 'kafka.serializer.']

/** Shows keys and values each in the way of a class. Throws ToolError for one that is not there. */
export function bytesDecoder(keyClass: string, valueClass: string): RecordDecoder {
  const [showKey, showValue] = [keyClass, valueClass].map(decoderOfClass) as [
    (bytes: Buffer) => string,
    (bytes: Buffer) => string,
  ]
  return (_offset, key, value) => ({
    key: key === null ? undefined : showKey(key),
    payload: value === null ? undefined : showValue(value),
  })
}

function decoderOfClass(className: string): (bytes: Buffer) => string {
  const prefix = PACKAGES.find((name) => className.startsWith(name)) ?? ''
  const simpleName = className.slice(prefix.length)
  if (Object.hasOwn(BYTES_DECODERS, simpleName)) return BYTES_DECODERS[simpleName]!
  const known = Object.keys(BYTES_DECODERS).map((name) => PACKAGES[0] + name)
  throw new ToolError(
    `${className}. Classes of Java cannot be loaded; there are ${known.join(', ')}.`,
    { className: 'java.lang.ClassNotFoundException' },
  )
}

/** Shows what a coordinator has written as JSON. */
export function coordinatorDecoder(topic: CoordinatorTopic): RecordDecoder {
  return (offset, key, value) => {
    if (key === null) {
      const problem = 'using the specified decoder (message had a missing key)'
      const message = `Failed to decode message at offset ${offset} ${problem}`
      throw new ToolError(message, { className: 'java.lang.RuntimeException' })
    }
    try {
      const record = coordinatorRecordJson(topic, key, value)
      const shownKey = { type: String(record.type), data: record.key }
      if (record.value === undefined) return { key: jsonText(shownKey), payload: '<DELETE>' }
      const { version, data } = record.value
      const payload = jsonText({ version: String(version), data })
      return { key: jsonText(shownKey), payload }
    } catch (error) {
      const text =
        error instanceof UnknownRecordTypeError
          ? `Unknown record type ${error.type} at offset ${offset}, skipping.`
          : `Error at offset ${offset}, skipping. ${(error as Error).message}`
      return { key: text, payload: undefined }
    }
  }
}
