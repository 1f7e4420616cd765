/** Numbers as Java's formatting prints them: scripts read them out of the output of tools. */

/**
 * `value` with `digits` digits after the point, as `%.nf` has it: halves are rounded up in the
 * shortest decimal form of the number, where toFixed rounds its exact binary value.
 */
export function fixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : javaDouble(value)
  const [whole = '0', fraction = ''] = plainDecimal(Math.abs(value)).split('.')
  const kept = BigInt(whole + fraction.slice(0, digits).padEnd(digits, '0'))
  const rounded = String(fraction.charAt(digits) >= '5' ? kept + 1n : kept).padStart(
    digits + 1,
    '0',
  )
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (digits === 0) return sign + rounded
  return `${sign}${rounded.slice(0, -digits)}.${rounded.slice(-digits)}`
}

/** The number in full, without an exponent. */
function plainDecimal(value: number): string {
  const [digits = '', exponentText] = String(value).split('e')
  if (exponentText === undefined) return digits
  const exponent = Number(exponentText)
  const [whole = '', fraction = ''] = digits.split('.')
  if (exponent > 0) return whole + fraction.padEnd(exponent, '0')
  return `0.${'0'.repeat(-exponent - whole.length)}${whole}${fraction}`
}

/** As `Double.toString`: always with a point, from ten million on with an exponent. */
export function javaDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const size = Math.abs(value)
  if (size === Number.POSITIVE_INFINITY) return `${sign}Infinity`
  if (size === 0) return `${sign}0.0`
  const isPlain = size >= 1e-3 && size < 1e7
  const [digits = '', exponent] = (isPlain ? String(size) : size.toExponential()).split('e')
  const withPoint = digits.includes('.') ? digits : `${digits}.0`
  return sign + withPoint + (exponent === undefined ? '' : `E${exponent.replace('+', '')}`)
}

/** As `Float.toString`: the shortest text that is the same number in 32 bits. */
export function javaFloat(value: number): string {
  if (!Number.isFinite(value) || value === 0) return javaDouble(value)
  for (let digits = 1; ; digits++) {
    const shorter = Number(value.toPrecision(digits))
    if (digits === 9 || Math.fround(shorter) === value) return javaDouble(shorter)
  }
}
