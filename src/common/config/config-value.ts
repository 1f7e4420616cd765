/**
 * The types a configuration value can have: how each is read from text and written back.
 *
 * Reading follows Kafka's ConfigDef (spaces around a value do not count, `TRUE` is a boolean, a
 * list is split at commas) and fails in its words, because people search the web for them. Writing
 * gives what Java would print, so that DescribeConfigs answers with the same text as Kafka.
 *
 * Kafka uses Long.MAX_VALUE for "never" and "unlimited". Here that is Infinity, which behaves as
 * meant in comparisons and sums; it is written as 9223372036854775807 again.
 */
import { KafkaError } from '../errors.ts'

export type ConfigType =
  | 'BOOLEAN'
  | 'STRING'
  | 'INT'
  | 'SHORT'
  | 'LONG'
  | 'DOUBLE'
  | 'LIST'
  | 'CLASS'
  | 'PASSWORD'

/** The number of each type in a DescribeConfigs response (KIP-569). */
export const CONFIG_TYPE_ID: { readonly [Type in ConfigType | 'UNKNOWN']: number } = {
  UNKNOWN: 0,
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
}

/** A secret. It shows itself only to code that asks for `value`; printed it is `[hidden]`. */
export class Password {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  get value(): string {
    return this.#value
  }

  toString(): string {
    return '[hidden]'
  }

  toJSON(): string {
    return '[hidden]'
  }
}

export type ConfigValue = boolean | number | string | readonly string[] | Password

/** A configuration that cannot be accepted. Goes to clients as INVALID_CONFIG. */
export class ConfigError extends KafkaError {
  constructor(message: string, options?: ErrorOptions) {
    super('INVALID_CONFIG', message, options)
    this.name = 'ConfigError'
  }

  /** The error for one value, in Kafka's form. `reason` says what would be allowed. */
  static invalidValue(name: string, value: unknown, reason: string): ConfigError {
    return new ConfigError(`Invalid value ${value} for configuration ${name}: ${reason}`)
  }
}

const INTEGER_BITS = { SHORT: 16n, INT: 32n, LONG: 64n }
const INTEGER = /^[+-]?\d+$/
const DOUBLE = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?[fd]?$/i
const LONG_MAX = '9223372036854775807'

/** The value that `text` stands for. Throws ConfigError, which says what is allowed. */
export function parseConfigValue(name: string, type: ConfigType, text: string): ConfigValue {
  const trimmed = text.trim()
  switch (type) {
    case 'BOOLEAN': {
      const lower = trimmed.toLowerCase()
      if (lower === 'true') return true
      if (lower === 'false') return false
      throw ConfigError.invalidValue(name, text, 'Expected value to be either true or false')
    }
    case 'SHORT':
    case 'INT':
    case 'LONG':
      return parseInteger(name, type, text, trimmed)
    case 'DOUBLE':
      if (!DOUBLE.test(trimmed)) throw notANumber(name, type, text)
      return Number.parseFloat(trimmed)
    case 'LIST':
      return parseList(name, trimmed)
    case 'PASSWORD':
      return new Password(trimmed)
    case 'STRING':
    case 'CLASS':
      return trimmed
  }
}

function parseInteger(
  name: string,
  type: 'SHORT' | 'INT' | 'LONG',
  text: string,
  trimmed: string,
): number {
  if (!INTEGER.test(trimmed)) throw notANumber(name, type, text)
  const value = BigInt(trimmed.replace(/^\+/, ''))
  if (BigInt.asIntN(Number(INTEGER_BITS[type]), value) !== value) {
    throw notANumber(name, type, text)
  }
  const asNumber = Number(value)
  // Above 2^53 a number rounds; what rounds to 2^63 is Long.MAX_VALUE or as good as that.
  return asNumber >= 2 ** 63 ? Number.POSITIVE_INFINITY : asNumber
}

/** Repeated entries count once, as in Kafka 4. */
function parseList(name: string, trimmed: string): readonly string[] {
  if (trimmed === '') return []
  const entries = trimmed.split(/\s*,\s*/)
  if (entries.includes(''))
    throw new ConfigError(`Configuration '${name}' values must not be empty.`)
  return [...new Set(entries)]
}

function notANumber(name: string, type: ConfigType, text: string): ConfigError {
  return ConfigError.invalidValue(name, text, `Not a number of type ${type}`)
}

/** The text of a value, as Java prints it. Secrets come out as `[hidden]`. */
export function formatConfigValue(type: ConfigType, value: ConfigValue): string {
  if (typeof value === 'number') return type === 'DOUBLE' ? formatDouble(value) : formatLong(value)
  if (Array.isArray(value)) return value.join(',')
  return String(value)
}

function formatLong(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return LONG_MAX
  return Number.isSafeInteger(value) ? String(value) : String(BigInt(value))
}

/** Java writes 1 as 1.0, and 10^7 and more, or less than 10^-3, as 1.0E7. */
function formatDouble(value: number): string {
  const magnitude = Math.abs(value)
  if (magnitude === 0 || (magnitude >= 1e-3 && magnitude < 1e7)) return withFraction(String(value))
  const [digits, exponent] = value.toExponential().split('e') as [string, string]
  return `${withFraction(digits)}E${Number(exponent)}`
}

function withFraction(digits: string): string {
  return digits.includes('.') ? digits : `${digits}.0`
}
