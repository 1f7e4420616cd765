/**
 * Writes the source of a decoder: one function for one schema in one version, with every array a
 * loop and every struct an object literal in the order of its definition.
 *
 * The function is `(b, p, end) => message`, reading the bytes from `p` up to `end` of Buffer `b`.
 * What the source relies on:
 *  - a run of fields of fixed size is checked once, then read at constant distances from `p`;
 *  - before anything of variable length is used its length is checked against the bytes left, for
 *    an array against the least its elements can take, so memory is only spent on bytes that came;
 *  - arrays grow by push for the same reason;
 *  - `r` is the module byte-reader.ts.
 */
import { type Field, type Fields, includesVersion } from './schema.ts'

const FIXED_SIZES: { readonly [type: string]: number } = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  bigint64: 8,
  float64: 8,
  uuid: 16,
}

/** The expression that reads a field of fixed size at `at`; the bytes are known to be there. */
function fixedExpression(field: Field, at: string): string {
  switch (field.type) {
    case 'bool':
      return `b[${at}] !== 0`
    case 'int8':
      return `(b[${at}] << 24) >> 24`
    case 'int16':
      return `r.readInt16(b, ${at})`
    case 'uint16':
      return `r.readUint16(b, ${at})`
    case 'int32':
      return `r.readInt32(b, ${at})`
    case 'uint32':
      return `r.readInt32(b, ${at}) >>> 0`
    case 'int64':
      return field.saturate === true ? `r.readSaturatedInt64(b, ${at})` : `r.readInt64(b, ${at})`
    case 'bigint64':
      return `b.readBigInt64BE(${at})`
    case 'float64':
      return `b.readDoubleBE(${at})`
    case 'uuid':
      return `r.readUuid(b, ${at})`
    default:
      throw new Error(`${field.type} has no fixed size`)
  }
}

/** A field's default as an expression: a new object each time it is evaluated. */
export function defaultExpression(field: Field): string {
  if (field.default === null) return 'null'
  switch (field.type) {
    case 'array':
      return '[]'
    case 'bytes':
    case 'records':
      return 'r.EMPTY'
    case 'bigint64':
      return `${field.default}n`
    case 'struct': {
      const inner = Object.entries(field.fields!)
      return `{ ${inner.map(([name, f]) => `${name}: ${defaultExpression(f)}`).join(', ')} }`
    }
    default:
      return JSON.stringify(field.default)
  }
}

export class DecoderSource {
  readonly #version: number
  readonly #flexible: boolean
  readonly #lines: string[] = []
  #indent = 1
  #names = 0

  constructor(version: number, flexible: boolean) {
    this.#version = version
    this.#flexible = flexible
  }

  /** The body of the function that decodes `fields`. */
  body(fields: Fields): string {
    const message = this.#struct(fields, 'end')
    this.#line(`return ${message}`)
    return this.#lines.join('\n')
  }

  /** Emits what reads a struct and returns the expression that builds it. */
  #struct(fields: Fields, end: string): string {
    const values = new Map<string, string>()
    const tagged: [string, Field][] = []
    let run: [string, Field][] = []
    for (const [name, field] of Object.entries(fields)) {
      if (!includesVersion(field.versions, this.#version)) {
        values.set(name, defaultExpression(field))
      } else if (field.tag !== undefined) {
        tagged.push([name, field])
      } else if (field.type in FIXED_SIZES) {
        run.push([name, field])
      } else {
        this.#fixedRun(run, values, end)
        run = []
        values.set(name, this.#variable(name, field, end))
      }
    }
    this.#fixedRun(run, values, end)
    if (this.#flexible) this.#taggedFields(tagged, values, end)
    const properties = Object.keys(fields).map((name) => `${name}: ${values.get(name)}`)
    return `{ ${properties.join(', ')} }`
  }

  #fixedRun(run: [string, Field][], values: Map<string, string>, end: string): void {
    if (run.length === 0) return
    const size = run.reduce((sum, [, field]) => sum + FIXED_SIZES[field.type]!, 0)
    this.#line(`if (${size} > ${end} - p) r.truncated()`)
    let distance = 0
    for (const [name, field] of run) {
      const variable = this.#name(name)
      const at = distance === 0 ? 'p' : `p + ${distance}`
      this.#line(`const ${variable} = ${fixedExpression(field, at)}`)
      values.set(name, variable)
      distance += FIXED_SIZES[field.type]!
    }
    this.#line(`p += ${size}`)
  }

  /** Emits what reads a field of variable size into a variable, and returns its name. */
  #variable(name: string, field: Field, end: string): string {
    const variable = this.#name(name)
    this.#line(`let ${variable}`)
    this.#assign(variable, name, field, end)
    return variable
  }

  #assign(variable: string, name: string, field: Field, end: string): void {
    if (field.type in FIXED_SIZES) {
      this.#line(`if (${FIXED_SIZES[field.type]} > ${end} - p) r.truncated()`)
      this.#line(`${variable} = ${fixedExpression(field, 'p')}`)
      this.#line(`p += ${FIXED_SIZES[field.type]}`)
    } else if (field.type === 'struct') {
      this.#nullableStruct(variable, field, end)
    } else {
      const length = this.#length(name, field, end)
      const nullable = includesVersion(field.nullable, this.#version)
      this.#line(`if (${length} < 0) {`)
      if (nullable) {
        this.#line(`  if (${length} !== -1) r.malformed('${name} has a negative length')`)
        this.#line(`  ${variable} = null`)
      } else {
        this.#line(`  r.malformed('${name} is null or has a negative length')`)
      }
      this.#line('} else {')
      this.#indented(() => {
        if (field.type === 'array') this.#array(variable, name, field.element!, length, end)
        else this.#slice(variable, field, length, end)
      })
      this.#line('}')
    }
  }

  /** Emits what reads the length in front of a string, bytes, records or array. */
  #length(name: string, field: Field, end: string): string {
    const length = this.#name(`${name}Length`)
    if (this.#flexible) {
      this.#line(`if (p >= ${end}) r.truncated()`)
      this.#line(`let ${length} = b[p] - 1`)
      this.#line(`if (${length} < 127) p += 1`)
      this.#line('else {')
      this.#line(`  const packed = r.readLongUnsignedVarint(b, p, ${end})`)
      this.#line(`  ${length} = Math.floor(packed / 8) - 1`)
      this.#line('  p += packed & 7')
      this.#line('}')
      return length
    }
    const size = field.type === 'string' ? 2 : 4
    this.#line(`if (${size} > ${end} - p) r.truncated()`)
    this.#line(`const ${length} = r.readInt${size * 8}(b, p)`)
    this.#line(`p += ${size}`)
    return length
  }

  #slice(variable: string, field: Field, length: string, end: string): void {
    this.#line(`if (${length} > ${end} - p) r.truncated()`)
    if (field.type === 'string') this.#line(`${variable} = r.readString(b, p, ${length})`)
    else this.#line(`${variable} = b.subarray(p, p + ${length})`)
    this.#line(`p += ${length}`)
  }

  #array(variable: string, name: string, element: Field, length: string, end: string): void {
    const least = Math.max(1, this.#leastBytes(element))
    const needed = least === 1 ? length : `${length} * ${least}`
    this.#line(`if (${needed} > ${end} - p) r.malformed('${name} has more elements than bytes')`)
    this.#line(`${variable} = []`)
    const i = this.#name('i')
    this.#line(`for (let ${i} = 0; ${i} < ${length}; ${i}++) {`)
    this.#indented(() => {
      if (element.type === 'struct') {
        this.#line(`${variable}.push(${this.#struct(element.fields!, end)})`)
      } else {
        this.#line(`${variable}.push(${this.#variable(`${name}Element`, element, end)})`)
      }
    })
    this.#line('}')
  }

  /**
   * A nullable struct has a byte in front: negative for null (KIP-893), but 0 for null where the
   * struct is a tagged field.
   */
  #nullableStruct(variable: string, field: Field, end: string): void {
    if (!includesVersion(field.nullable, this.#version)) {
      this.#line('{')
      this.#indented(() => {
        this.#line(`${variable} = ${this.#struct(field.fields!, end)}`)
      })
      this.#line('}')
      return
    }
    this.#line(`if (p >= ${end}) r.truncated()`)
    this.#line(field.tag === undefined ? 'if (b[p++] > 0x7f) {' : 'if (b[p++] === 0) {')
    this.#line(`  ${variable} = null`)
    this.#line('} else {')
    this.#indented(() => {
      this.#line(`${variable} = ${this.#struct(field.fields!, end)}`)
    })
    this.#line('}')
  }

  #taggedFields(tagged: [string, Field][], values: Map<string, string>, end: string): void {
    for (const [name, field] of tagged) {
      const variable = this.#name(name)
      values.set(name, variable)
      this.#line(`let ${variable} = ${defaultExpression(field)}`)
    }
    this.#line(`if (p < ${end} && b[p] === 0) p += 1`)
    if (tagged.length === 0) {
      this.#line(`else p = r.skipTaggedFields(b, p, ${end})`)
      return
    }
    const count = this.#name('tags')
    this.#line('else {')
    this.#indented(() => {
      this.#line('let packed')
      this.#readVarint(`let ${count}`, end)
      this.#line(`for (; ${count} > 0; ${count}--) {`)
      this.#indented(() => this.#oneTaggedField(tagged, values, end))
      this.#line('}')
    })
    this.#line('}')
  }

  #oneTaggedField(tagged: [string, Field][], values: Map<string, string>, end: string): void {
    const tag = this.#name('tag')
    const limit = this.#name('limit')
    this.#readVarint(`const ${tag}`, end)
    this.#readVarint(`let ${limit}`, end)
    this.#line(`if (${limit} > ${end} - p) r.truncated()`)
    this.#line(`${limit} += p`)
    this.#line(`switch (${tag}) {`)
    for (const [name, field] of tagged) {
      this.#line(`  case ${field.tag}: {`)
      this.#indented(() => {
        this.#indented(() => this.#assign(values.get(name)!, name, field, limit))
      })
      this.#line(`    if (p !== ${limit}) r.malformed('${name} does not fill its tagged field')`)
      this.#line('    break')
      this.#line('  }')
    }
    this.#line(`  default: p = ${limit}`)
    this.#line('}')
  }

  #readVarint(target: string, end: string): void {
    this.#line(`packed = r.readUnsignedVarint(b, p, ${end})`)
    this.#line('p += packed & 7')
    this.#line(`${target} = Math.floor(packed / 8)`)
  }

  /** The fewest bytes a field can take. */
  #leastBytes(field: Field): number {
    if (field.type in FIXED_SIZES) return FIXED_SIZES[field.type]!
    if (field.type !== 'struct') return this.#flexible ? 1 : field.type === 'string' ? 2 : 4
    if (includesVersion(field.nullable, this.#version)) return 1
    let sum = this.#flexible ? 1 : 0
    for (const inner of Object.values(field.fields!)) {
      const present = includesVersion(inner.versions, this.#version) && inner.tag === undefined
      if (present) sum += this.#leastBytes(inner)
    }
    return sum
  }

  #name(base: string): string {
    this.#names += 1
    return `${base}${this.#names}`
  }

  #line(text: string): void {
    this.#lines.push('  '.repeat(this.#indent) + text)
  }

  #indented(emit: () => void): void {
    this.#indent += 1
    emit()
    this.#indent -= 1
  }
}
