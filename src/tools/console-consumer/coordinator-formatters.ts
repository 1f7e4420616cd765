/**
 * Prints what coordinators have written into their topics, as one JSON object a record, of the
 * types that the formatter is for:
 *
 * `{"key":{"type":1,"data":{…}},"value":{"version":3,"data":{…}}}`
 */
import {
  type CoordinatorTopic,
  coordinatorRecordJson,
  UnknownRecordTypeError,
} from '../support/coordinator-json.ts'
import { type Json, jsonText } from '../support/message-json.ts'
import { ToolError } from '../support/tool.ts'
import type { MessageFormatter } from './message-formatter.ts'

const OFFSET_COMMITS = [0, 1]
const CLASSIC_GROUPS = [2]
const SHARE_GROUPS = [10, 11, 12, 13, 14, 15]

export const offsetsFormatter = formatter('group', (type) => OFFSET_COMMITS.includes(type))
export const groupMetadataFormatter = formatter('group', (type) => CLASSIC_GROUPS.includes(type))
export const shareGroupFormatter = formatter('group', (type) => SHARE_GROUPS.includes(type))
export const transactionLogFormatter = formatter('transaction', () => true)

function formatter(topic: CoordinatorTopic, isShown: (type: number) => boolean): MessageFormatter {
  return ({ keyBytes, valueBytes, offset }, out) => {
    if (keyBytes === null) return
    let json: Json
    try {
      const { type, key, value } = coordinatorRecordJson(topic, keyBytes, valueBytes, {
        isRaw: true,
      })
      if (!isShown(type)) return
      json = { key: { type, data: key }, value: value ?? null }
    } catch (error) {
      if (error instanceof UnknownRecordTypeError) return
      const { message } = error as Error
      throw new ToolError(`Could not read record at offset ${offset} due to: ${message}`)
    }
    out.write(jsonText(json))
  }
}
