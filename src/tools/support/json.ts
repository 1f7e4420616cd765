/**
 * Reads the JSON files that tools are given. What is missing or of the wrong type is a ToolError in
 * the words of Kafka's tools.
 */
import { ToolError } from './tool.ts'

const MAPPING_ERROR = 'com.fasterxml.jackson.databind.JsonMappingException'

/** A value of a JSON text that is asked for what it should be. */
export class JsonValue {
  readonly #value: unknown

  constructor(value: unknown) {
    this.#value = value
  }

  /** Undefined for what is no JSON. */
  static parse(text: string): JsonValue | undefined {
    try {
      return new JsonValue(JSON.parse(text))
    } catch {
      return undefined
    }
  }

  #expected(what: string): ToolError {
    const received = JSON.stringify(this.#value)
    return new ToolError(`Expected ${what}, received ${received}`, { className: MAPPING_ERROR })
  }

  #fields(): Record<string, unknown> {
    const value = this.#value
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>
    }
    throw this.#expected('JSON object')
  }

  /** A field of an object; undefined if it has none of this name. */
  get(name: string): JsonValue | undefined {
    const fields = this.#fields()
    return Object.hasOwn(fields, name) ? new JsonValue(fields[name]) : undefined
  }

  /** A field that the object must have. */
  field(name: string): JsonValue {
    const found = this.get(name)
    if (found !== undefined) return found
    throw new ToolError(`No such field exists: \`${name}\``, { className: MAPPING_ERROR })
  }

  list(): JsonValue[] {
    if (!Array.isArray(this.#value)) throw this.#expected('JSON array')
    return this.#value.map((entry) => new JsonValue(entry))
  }

  string(): string {
    if (typeof this.#value === 'string') return this.#value
    throw this.#expected('`String` value')
  }

  integer(): number {
    if (Number.isInteger(this.#value)) return this.#value as number
    throw this.#expected('`Integer` value')
  }

  /** Offsets above 2^53 are not exact, here as in all of this broker. */
  long(): number {
    if (Number.isInteger(this.#value)) return this.#value as number
    throw this.#expected('`Long` value')
  }
}
