/**
 * Messages as JSON in the way of Kafka's tools: the fields in their order, those of the version
 * only; a tagged field where it has another value than its default; bytes in base64.
 */
import type { Field, Fields, Schema } from '../../protocol/schema.ts'
import { includesVersion } from '../../protocol/schema.ts'

/** What `jsonText` writes: as JSON has it, and long integers whole. */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Json[]
  | { readonly [name: string]: Json }

/** A decoded message of `schema`, as it is in `version`. */
export function messageJson(schema: Schema, version: number, message: object): Json {
  return structJson(schema.fields, version, message as Record<string, unknown>)
}

function structJson(fields: Fields, version: number, value: Record<string, unknown>): Json {
  const shown = Object.entries(fields).filter(([name, field]) => {
    if (!includesVersion(field.versions, version)) return false
    return field.tag === undefined || !isDefault(field, value[name])
  })
  return Object.fromEntries(
    shown.map(([name, field]) => [name, fieldJson(field, version, value[name])]),
  )
}

function fieldJson(field: Field, version: number, value: unknown): Json {
  if (value === null || value === undefined) return null
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (field.type === 'struct') {
    return structJson(field.fields!, version, value as Record<string, unknown>)
  }
  if (field.type === 'array') {
    return (value as unknown[]).map((element) => fieldJson(field.element!, version, element))
  }
  return value as Json
}

function isDefault(field: Field, value: unknown): boolean {
  if (field.type === 'struct') {
    if (value === null) return field.default === null
    return Object.entries(field.fields!).every(([name, inner]) =>
      isDefault(inner, (value as Record<string, unknown>)[name]),
    )
  }
  if (Array.isArray(value)) return value.length === 0
  if (Buffer.isBuffer(value)) return value.length === 0
  return value === field.default
}

/** Without spaces, as Jackson writes it. */
export function jsonText(value: Json): string {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return quote(value)
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  const members = Object.entries(value).map(
    ([name, member]) => `${quote(name)}:${jsonText(member)}`,
  )
  return `{${members.join(',')}}`
}

/** As JSON.stringify, with the escapes of control characters in capitals. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/\\(?:u([0-9a-f]{4})|.)/g, (escaped, code?: string) =>
    code === undefined ? escaped : `\\u${code.toUpperCase()}`,
  )
}
