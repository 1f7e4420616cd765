/** Whole numbers in arguments, as Java reads them. */
import { ToolError } from './tool.ts'

/** The number that `text` is. Throws ToolError in Java's words. */
export function parseInteger(text: string): number {
  const value = Number(text)
  const fits = value >= -(2 ** 31) && value < 2 ** 31
  if (/^[+-]?\d+$/.test(text) && fits) return value
  const radix = /^[+-]?\d+$/.test(text) ? ' under radix 10' : ''
  throw new ToolError(`For input string: "${text}"${radix}`, {
    className: 'java.lang.NumberFormatException',
  })
}
