/**
 * The language in which the protocol's messages are written down.
 *
 * One `api({...})` holds request and response of one API for all its versions. The order of the
 * keys is the order on the wire; each field says in which versions it exists. From that one value
 * the TypeScript types are inferred (`RequestOf`, `ResponseOf`, and `RequestInput`, `ResponseInput`
 * for what is to be encoded) and `compile.ts` makes an encoder and a decoder for each version.
 *
 * Messages carry no version. A field that a version lacks has its default after decoding; a value
 * other than the default cannot be encoded there, unless the field is `ignorable`: then it is left
 * out. Defaults are Kafka's: what `default` says, else 0, false, '', an empty array, the zero uuid
 * or a struct of defaults.
 *
 * ```ts
 * export const Heartbeat = api({
 *   key: 12, name: 'Heartbeat', versions: '0-4', flexible: '4+',
 *   request: { groupId: string(), groupInstanceId: string({ versions: '3+', nullable: '3+' }) },
 *   response: { throttleTimeMs: int32({ versions: '1+', ignorable: true }), errorCode: int16() },
 * })
 * ```
 * The same rules as in the README of Kafka's message definitions.
 */

/** An inclusive range of versions. An empty one has `max < min`. */
export interface VersionRange {
  readonly min: number
  readonly max: number
}

export type FieldType =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'bigint64'
  | 'uint16'
  | 'uint32'
  | 'float64'
  | 'string'
  | 'bytes'
  | 'uuid'
  | 'records'
  | 'array'
  | 'struct'

/** What may be said about a field; version ranges are written `'3+'`, `'0-4'` or `'2'`. */
export interface FieldOptions<T = unknown> {
  /** Where the field exists. Without it: wherever the struct around it does. */
  readonly versions?: string
  /** In which versions null is allowed. */
  readonly nullable?: string
  /** The value where the field is absent or left out. */
  readonly default?: T | null
  /** A value is silently dropped, not refused, in versions without the field. */
  readonly ignorable?: boolean
  /** Makes it a tagged field (KIP-482), which takes no room while it has its default. */
  readonly tag?: number
}

/** One field. The type parameters say what it is in memory; `types` never exists at run time. */
export interface Field<Decoded = unknown, Encoded = unknown, Omittable extends boolean = boolean> {
  readonly type: FieldType
  readonly versions: VersionRange
  readonly nullable: VersionRange
  readonly default: unknown
  readonly ignorable: boolean
  readonly tag: number | undefined
  /** int64 only: see `int64`. */
  readonly saturate?: boolean
  /** What an array is of. */
  readonly element?: Field
  /** What a struct is of. */
  readonly fields?: Fields
  readonly types?: { decoded: Decoded; encoded: Encoded; omittable: Omittable }
}

export interface Fields {
  readonly [name: string]: Field
}

/** A named list of fields with its versions: half of an API, or a record's key or value. */
export interface Schema<F extends Fields = Fields> {
  readonly name: string
  readonly versions: VersionRange
  /** The versions with compact lengths and tagged fields (KIP-482). */
  readonly flexible: VersionRange
  readonly fields: F
}

export interface Api<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly key: number
  readonly name: string
  /** What is implemented. */
  readonly versions: VersionRange
  /** What ApiVersions says; differs where old clients read meaning into a version nobody uses. */
  readonly advertised: VersionRange
  readonly flexible: VersionRange
  readonly request: Schema<Request>
  readonly response: Schema<Response>
}

type Simplify<T> = { [K in keyof T]: T[K] }
type DecodedOf<F> = F extends Field<infer D, unknown, boolean> ? D : never
type EncodedOf<F> = F extends Field<unknown, infer E, boolean> ? E : never
type OmittableKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends Field<unknown, unknown, true> ? K : never
}[keyof F]

/** A decoded message or struct: every field is there. */
export type Decoded<F extends Fields> = { -readonly [K in keyof F]: DecodedOf<F[K]> }

/** What an encoder takes: what has a default or is not in every version may be left out. */
export type Encoded<F extends Fields> = Simplify<
  { readonly [K in Exclude<keyof F, OmittableKeys<F>>]: EncodedOf<F[K]> } & {
    readonly [K in OmittableKeys<F>]?: EncodedOf<F[K]> | undefined
  }
>

export type RequestOf<A> = A extends Api<infer F, Fields> ? Decoded<F> : never
export type ResponseOf<A> = A extends Api<Fields, infer F> ? Decoded<F> : never
export type RequestInput<A> = A extends Api<infer F, Fields> ? Encoded<F> : never
export type ResponseInput<A> = A extends Api<Fields, infer F> ? Encoded<F> : never

/** The value of a `records` field: record batches, in one piece or in several. */
export type RecordsField = Buffer | readonly Buffer[] | null

/** The uuid that stands for "none". Uuids are 22 characters of base64url, as Kafka prints them. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

const EVERY_VERSION: VersionRange = { min: 0, max: 0x7fff }
const NO_VERSION: VersionRange = { min: 0, max: -1 }

/** Reads `'3+'`, `'0-4'`, `'2'` or `'none'`. Throws on anything else: definitions are our own. */
export function parseVersions(text: string): VersionRange {
  if (text === 'none') return NO_VERSION
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text)
  if (match === null) throw new Error(`not a range of versions: ${text}`)
  const min = Number(match[1])
  if (match[2] === '+') return { min, max: EVERY_VERSION.max }
  return { min, max: match[3] === undefined ? min : Number(match[3]) }
}

export function includesVersion(range: VersionRange, version: number): boolean {
  return version >= range.min && version <= range.max
}

type Nullable<T, O> = O extends { readonly nullable: string } ? T | null : T
type IsOmittable<O> = O extends
  | { readonly default: unknown }
  | { readonly versions: string }
  | { readonly tag: number }
  ? true
  : false

type FieldOf<D, E, O> = Field<Nullable<D, O>, Nullable<E, O>, IsOmittable<O>>

function field(type: FieldType, options: FieldOptions = {}, implicitDefault: unknown): Field {
  return {
    type,
    versions: options.versions === undefined ? EVERY_VERSION : parseVersions(options.versions),
    nullable: options.nullable === undefined ? NO_VERSION : parseVersions(options.nullable),
    default: options.default === undefined ? implicitDefault : options.default,
    ignorable: options.ignorable ?? false,
    tag: options.tag,
  }
}

function scalar<T>(type: FieldType, implicitDefault: T) {
  return <const O extends FieldOptions<T>>(options?: O) =>
    field(type, options, implicitDefault) as FieldOf<T, T, O>
}

export const bool = scalar<boolean>('bool', false)
export const int8 = scalar<number>('int8', 0)
export const int16 = scalar<number>('int16', 0)
export const int32 = scalar<number>('int32', 0)
export const uint16 = scalar<number>('uint16', 0)
export const uint32 = scalar<number>('uint32', 0)
export const float64 = scalar<number>('float64', 0)
export const string = scalar<string>('string', '')
export const uuid = scalar<string>('uuid', ZERO_UUID)
/** An int64 with values that a number cannot hold, such as Long.MAX_VALUE for "unlimited". */
export const bigint64 = scalar<bigint>('bigint64', 0n)

/**
 * An int64 as a number. What does not fit (beyond ±2^53) is refused with INVALID_REQUEST, or, with
 * `saturate`, taken as the nearest number that fits: for times, where "after the end of time" needs
 * no exact value.
 */
export function int64<const O extends FieldOptions<number> & { readonly saturate?: boolean }>(
  options?: O,
): FieldOf<number, number, O> {
  const plain = field('int64', options, 0)
  const result = options?.saturate === true ? { ...plain, saturate: true } : plain
  return result as FieldOf<number, number, O>
}

/** Opaque bytes. Decoding gives a view of the input, not a copy. */
export function bytes<const O extends FieldOptions<Buffer>>(
  options?: O,
): FieldOf<Buffer, Uint8Array, O> {
  return field('bytes', options, Buffer.alloc(0)) as FieldOf<Buffer, Uint8Array, O>
}

/**
 * Record batches. Decoding gives a view of the input; encoding takes several pieces and passes
 * large ones on by reference.
 */
export function records<const O extends FieldOptions<null>>(
  options?: O,
): FieldOf<Buffer, Buffer | readonly Buffer[], O> {
  const implicitDefault = options?.nullable === undefined ? Buffer.alloc(0) : null
  type Result = FieldOf<Buffer, Buffer | readonly Buffer[], O>
  return field('records', options, implicitDefault) as Result
}

type ElementDecoded<E> =
  E extends Field<infer D, unknown, boolean> ? D : E extends Fields ? Decoded<E> : never
type ElementEncoded<E> =
  E extends Field<unknown, infer D, boolean> ? D : E extends Fields ? Encoded<E> : never

function isField(value: Field | Fields): value is Field {
  return typeof value.type === 'string'
}

/** An array of structs (given as their fields) or of a primitive type. */
export function array<
  const E extends Field | Fields,
  const O extends FieldOptions<readonly ElementEncoded<E>[]>,
>(element: E, options?: O): FieldOf<ElementDecoded<E>[], readonly ElementEncoded<E>[], O> {
  const elementField = isField(element) ? element : struct(element)
  const result = { ...field('array', options, []), element: elementField }
  return result as unknown as FieldOf<ElementDecoded<E>[], readonly ElementEncoded<E>[], O>
}

/** A struct within a struct. A nullable one has a byte in front that says if it is there. */
export function struct<const F extends Fields, const O extends FieldOptions<null>>(
  fields: F,
  options?: O,
): FieldOf<Decoded<F>, Encoded<F>, O> {
  const result = { ...field('struct', options, undefined), fields }
  return result as unknown as FieldOf<Decoded<F>, Encoded<F>, O>
}

/** A schema by itself, for what is not an API: record keys and values, headers. */
export function schema<const F extends Fields>(definition: {
  name: string
  versions: string
  flexible: string
  fields: F
}): Schema<F> {
  return {
    name: definition.name,
    versions: parseVersions(definition.versions),
    flexible: parseVersions(definition.flexible),
    fields: definition.fields,
  }
}

/** Defines an API. `advertised` is given where it differs from the versions implemented. */
export function api<const Request extends Fields, const Response extends Fields>(definition: {
  key: number
  name: string
  versions: string
  flexible: string
  advertised?: string
  request: Request
  response: Response
}): Api<Request, Response> {
  const { key, name, versions, flexible } = definition
  return {
    key,
    name,
    versions: parseVersions(versions),
    advertised: parseVersions(definition.advertised ?? versions),
    flexible: parseVersions(flexible),
    request: schema({ name: `${name}Request`, versions, flexible, fields: definition.request }),
    response: schema({ name: `${name}Response`, versions, flexible, fields: definition.response }),
  }
}
