/**
 * Writes the source of an encoder: one function for one schema in one version, `(m, w) => void`,
 * which writes message `m` to ByteWriter `w`. In the source `c` holds a few functions: see
 * `compile.ts`.
 *
 * A property that is undefined takes its field's default. Null where the version has no null, and
 * a value for a field that the version lacks, are refused with an error that names the field.
 */
import { defaultExpression } from './compile-decoder.ts'
import { type Field, type Fields, includesVersion } from './schema.ts'

/** An expression for whether `value` is left out or is what `field` has when it is left out. */
function isDefaultExpression(field: Field, value: string): string {
  if (field.default === null) return `(${value} == null)`
  let test: string
  if (field.type === 'struct') {
    const inner = Object.entries(field.fields!)
    const tests = inner.map(([name, f]) => isDefaultExpression(f, `${value}.${name}`))
    test = `(${value} !== null && ${tests.join(' && ')})`
  } else if (field.type === 'array' || field.type === 'bytes' || field.type === 'records') {
    test = `(${value} !== null && ${value}.length === 0)`
  } else {
    test = `${value} === ${defaultExpression(field)}`
  }
  return `(${value} === undefined || ${test})`
}

export class EncoderSource {
  readonly #version: number
  readonly #flexible: boolean
  readonly #lines: string[] = []
  #indent = 1
  #names = 0

  constructor(version: number, flexible: boolean) {
    this.#version = version
    this.#flexible = flexible
  }

  /** The body of the function that encodes `fields`; `path` is what its errors start with. */
  body(fields: Fields, path: string): string {
    this.#struct(fields, 'm', 'w', path)
    return this.#lines.join('\n')
  }

  #struct(fields: Fields, message: string, writer: string, path: string): void {
    const tagged: [string, Field][] = []
    for (const [name, field] of Object.entries(fields)) {
      const inner = `${path}.${name}`
      if (!includesVersion(field.versions, this.#version)) {
        this.#absent(field, `${message}.${name}`, inner)
      } else if (field.tag !== undefined) {
        tagged.push([name, field])
      } else {
        this.#value(field, this.#read(name, field, message), writer, inner)
      }
    }
    if (this.#flexible) this.#taggedFields(tagged, message, writer, path)
  }

  #absent(field: Field, expression: string, path: string): void {
    if (field.ignorable) return
    this.#line(`if (!${isDefaultExpression(field, expression)}) c.absent('${path}')`)
  }

  /** Emits what reads a property, or its default, into a variable. */
  #read(name: string, field: Field, message: string): string {
    const variable = this.#name(name)
    this.#line(`let ${variable} = ${message}.${name}`)
    const fallback = defaultExpression(field).replaceAll('r.EMPTY', 'c.EMPTY')
    this.#line(`if (${variable} === undefined) ${variable} = ${fallback}`)
    return variable
  }

  #value(field: Field, value: string, writer: string, path: string): void {
    switch (field.type) {
      case 'string':
      case 'bytes':
      case 'records':
      case 'array':
        this.#null(field, value, this.#nullLength(field, writer), path)
        this.#indented(() => this.#sized(field, value, writer, path))
        this.#line('}')
        break
      case 'struct': {
        const nullable = includesVersion(field.nullable, this.#version)
        // As a tagged field it says null with another number: see the decoder.
        this.#null(field, value, `${writer}.int8(${field.tag === undefined ? -1 : 0})`, path)
        this.#indented(() => {
          if (nullable) this.#line(`${writer}.int8(1)`)
          this.#struct(field.fields!, value, writer, path)
        })
        this.#line('}')
        break
      }
      default:
        this.#line(`${writer}.${field.type}(${value})`)
    }
  }

  /** Opens an `else` whose other branch deals with null. */
  #null(field: Field, value: string, writeNull: string, path: string): void {
    const nullable = includesVersion(field.nullable, this.#version)
    this.#line(`if (${value} === null) ${nullable ? writeNull : `c.refuseNull('${path}')`}`)
    this.#line('else {')
  }

  #nullLength(field: Field, writer: string): string {
    if (this.#flexible) return `${writer}.unsignedVarint(0)`
    return field.type === 'string' ? `${writer}.int16(-1)` : `${writer}.int32(-1)`
  }

  #sized(field: Field, value: string, writer: string, path: string): void {
    if (field.type === 'string') {
      this.#line(`${writer}.${this.#flexible ? 'compactString' : 'string'}(${value})`)
      return
    }
    const size = field.type === 'records' ? `c.recordsSize(${value})` : `${value}.length`
    this.#line(
      this.#flexible ? `${writer}.unsignedVarint(${size} + 1)` : `${writer}.int32(${size})`,
    )
    if (field.type === 'bytes') {
      this.#line(`${writer}.append(${value})`)
    } else if (field.type === 'records') {
      this.#line(`c.appendRecords(${writer}, ${value})`)
    } else {
      const element = this.#name('element')
      const i = this.#name('i')
      this.#line(`for (let ${i} = 0; ${i} < ${value}.length; ${i}++) {`)
      this.#indented(() => {
        this.#line(`const ${element} = ${value}[${i}]`)
        const inner = field.element!
        if (inner.type === 'struct') this.#struct(inner.fields!, element, writer, path)
        else this.#value(inner, element, writer, path)
      })
      this.#line('}')
    }
  }

  /** Tagged fields follow the others: how many, then each with its tag and size, by tag. */
  #taggedFields(fields: [string, Field][], message: string, writer: string, path: string): void {
    if (fields.length === 0) {
      this.#line(`${writer}.unsignedVarint(0)`)
      return
    }
    const sorted = [...fields].sort(([, a], [, b]) => a.tag! - b.tag!)
    const conditions = sorted.map(([name, field]) => {
      const condition = this.#name(`has${name}`)
      this.#line(`const ${condition} = !${isDefaultExpression(field, `${message}.${name}`)}`)
      return condition
    })
    this.#line(`${writer}.unsignedVarint(${conditions.map((name) => `+${name}`).join(' + ')})`)
    sorted.forEach(([name, field], index) => {
      this.#line(`if (${conditions[index]}) {`)
      this.#indented(() => {
        const scratch = this.#name('scratch')
        this.#line(`${writer}.unsignedVarint(${field.tag})`)
        this.#line(`const ${scratch} = ${writer}.scratch()`)
        this.#value(field, `${message}.${name}`, scratch, `${path}.${name}`)
        this.#line(`${writer}.appendSized(${scratch})`)
      })
      this.#line('}')
    })
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
