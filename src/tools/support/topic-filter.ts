/** Which topics a tool is about: names, or regular expressions, with commas between several. */
import { ToolError } from './tool.ts'

/** Topics of the coordinators. */
const INTERNAL = ['__consumer_offsets', '__transaction_state', '__share_group_state']

export function isInternalTopic(topic: string): boolean {
  return INTERNAL.includes(topic)
}

/** The pattern that a whole name has to match. Throws ToolError for what is no expression. */
export function topicPattern(text: string): RegExp {
  const expression = text
    .trim()
    .replaceAll(',', '|')
    .replaceAll(' ', '')
    // Property files may bring quotes.
    .replace(/^["']+/, '')
    .replace(/["']+$/, '')
  // What Java has for JavaScript's flags.
  const [, flags = '', rest = ''] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(expression)!
  try {
    return new RegExp(`^(?:${rest})$`, flags)
  } catch {
    throw new ToolError(`${expression} is an invalid regex.`)
  }
}
