/**
 * Writes records anew for a batch with another base timestamp: their times stay, so the deltas
 * change, and with them the lengths of the records.
 */

/** What a length and a delta may grow by: from one byte each to five and ten. */
const MAX_GROWTH = 13

/**
 * The records in the `runs` of `content` (beginning and end of each, in turn), with `shift` added
 * to their timestamp deltas. The records must be well-formed.
 */
export function writeRebased(
  content: Uint8Array,
  runs: readonly number[],
  shift: number,
): Uint8Array {
  const writer = new Rebaser(content, shift)
  for (let index = 0; index < runs.length; index += 2) {
    writer.addRun(runs[index]!, runs[index + 1]!)
  }
  return writer.finish()
}

class Rebaser {
  readonly #source: Uint8Array
  readonly #shift: number
  #at = 0
  #target: Buffer
  #end = 0

  constructor(source: Uint8Array, shift: number) {
    this.#source = source
    this.#shift = shift
    this.#target = Buffer.allocUnsafe(source.length + MAX_GROWTH)
  }

  addRun(start: number, end: number): void {
    this.#at = start
    while (this.#at < end) this.#addRecord()
  }

  finish(): Uint8Array {
    return this.#target.subarray(0, this.#end)
  }

  #addRecord(): void {
    const length = this.#varlong()
    const end = this.#at + length
    const attributes = this.#source[this.#at++]!
    const delta = this.#varlong() + this.#shift
    const rest = this.#source.subarray(this.#at, end)
    this.#at = end
    this.#reserve(rest.length + 1 + MAX_GROWTH + 2)
    this.#write(1 + varlongSize(delta) + rest.length)
    this.#target[this.#end++] = attributes
    this.#write(delta)
    this.#target.set(rest, this.#end)
    this.#end += rest.length
  }

  #reserve(sizeInBytes: number): void {
    if (this.#end + sizeInBytes <= this.#target.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#target.length * 2, this.#end + sizeInBytes))
    larger.set(this.#target.subarray(0, this.#end))
    this.#target = larger
  }

  #varlong(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.#source[this.#at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
      scale *= 128
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  #write(value: number): void {
    let rest = zigzag(value)
    for (; rest >= 128; rest = Math.floor(rest / 128)) {
      this.#target[this.#end++] = (rest % 128) | 0x80
    }
    this.#target[this.#end++] = rest
  }
}

/** Exact as long as the result is below 2^53, as for any two times of this age of the world. */
function zigzag(value: number): number {
  return value >= 0 ? 2 * value : -2 * value - 1
}

function varlongSize(value: number): number {
  let size = 1
  for (let rest = zigzag(value); rest >= 128; rest = Math.floor(rest / 128)) size += 1
  return size
}
