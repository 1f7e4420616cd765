/** What a run says of itself when it is over. */
import type { HistoryEvent, Violation } from './history.ts'

/** Of each kind so many violations are printed, and so many events around each. */
const PER_INVARIANT = 3
const CONTEXT_EVENTS = 12
const LONGEST_LINE = 300

/** The violations, by invariant, each with its evidence and with what happened around it. */
export function describeViolations(
  violations: readonly Violation[],
  history: readonly HistoryEvent[],
): string {
  const groups = Map.groupBy(violations, ({ invariant }) => invariant)
  return [...groups]
    .map(([invariant, found]) => {
      const shown = found.slice(0, PER_INVARIANT).map((each) => describeOne(each, history))
      return `VIOLATED: ${invariant} (${found.length} times)\n${shown.join('')}`
    })
    .join('\n')
}

function describeOne({ found, events }: Violation, history: readonly HistoryEvent[]): string {
  const evidence = events.map((event) => `    ${line(event, history)}\n`).join('')
  const around = [...new Set(events.flatMap((event) => surroundings(event, history)))]
  const context = around
    .sort((one, other) => one.at - other.at)
    .map((event) => `      ${events.includes(event) ? '>' : ' '} ${line(event, history)}\n`)
    .join('')
  return `  ${found}\n    evidence:\n${evidence}    around it:\n${context}`
}

/** What was done to processes, and what the same process wrote, before and after an event. */
function surroundings(event: HistoryEvent, history: readonly HistoryEvent[]): HistoryEvent[] {
  // What readers read is long, and says little of why.
  if (event.event === 'read') return []
  const related = history.filter(
    (each) =>
      each === event ||
      each.event === 'fault' ||
      each.event === 'broker' ||
      each.event === 'assigned' ||
      each.event === 'released' ||
      each.process === event.process,
  )
  const at = related.indexOf(event)
  return related.slice(Math.max(0, at - CONTEXT_EVENTS / 2), at + CONTEXT_EVENTS / 2)
}

function line(event: HistoryEvent, history: readonly HistoryEvent[]): string {
  const { at, process, event: kind, ...rest } = event
  const seconds = ((at - (history[0]?.at ?? 0)) / 1e6).toFixed(3).padStart(8)
  return `${seconds} ${process} ${kind} ${JSON.stringify(rest)}`.slice(0, LONGEST_LINE)
}
