/** The metrics of a client as tools print them: `group:name:{tags} : value`, one a line, sorted. */
import { METRIC_GROUPS } from '../../clients/observability/metric-names.ts'
import type { MetricsSource } from '../../clients/observability/prometheus.ts'
import { fixed } from './java-numbers.ts'
import { printLine, type ToolOutput } from './tool.ts'

type Values = Readonly<Record<string, number>>

export function printMetrics(client: MetricsSource, output: ToolOutput): void {
  const metrics = new Map<string, number>()
  const add = (group: string, tags: string, values: Values) => {
    const shown = METRIC_GROUPS[group]?.group ?? group
    for (const [name, value] of Object.entries(values)) {
      metrics.set(`${shown}:${name}:{client-id=${client.clientId}${tags}}`, value)
    }
  }
  for (const [group, content] of Object.entries(client.metrics())) {
    const label = METRIC_GROUPS[group]?.label
    if (label === undefined) add(group, '', content)
    else {
      for (const [name, values] of Object.entries(content as Record<string, Values>)) {
        add(group, tagsOf(label, name), values)
      }
    }
  }
  const names = [...metrics.keys()].sort()
  const width = Math.max(0, ...names.map((name) => name.length))
  printLine(output, `\n${'Metric Name'.padEnd(width)}   Value`)
  for (const name of names) {
    printLine(output, `${name.padEnd(width)} : ${fixed(metrics.get(name)!, 3)}`)
  }
}

/** A partition has two tags, its topic and its number. */
function tagsOf(label: string, name: string): string {
  if (label !== 'partition') return `, ${label}=${name}`
  const at = name.lastIndexOf('-')
  return `, topic=${name.slice(0, at)}, partition=${name.slice(at + 1)}`
}
