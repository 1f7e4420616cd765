/**
 * Metrics of clients in the text format that Prometheus reads (exposition format 0.0.4).
 *
 * ```
 * # HELP kafka_producer_metrics_record_send_total Records sent.
 * # TYPE kafka_producer_metrics_record_send_total counter
 * kafka_producer_metrics_record_send_total{client_id="orders"} 42
 * ```
 */
import { METRIC_GROUPS } from './metric-names.ts'

/** A client of which metrics can be had. */
export interface MetricsSource {
  readonly clientId: string
  metrics(): object
}

type Values = Readonly<Record<string, number>>

/** The metrics of all these clients; each metric is introduced once. */
export function prometheusText(clients: Iterable<MetricsSource>): string {
  const samples = new Map<string, string[]>()
  for (const client of clients) {
    for (const [group, content] of Object.entries(client.metrics())) {
      const { label } = METRIC_GROUPS[group]!
      const own = `client_id="${escapeLabel(client.clientId)}"`
      if (label === undefined) addSamples(samples, group, own, content)
      else {
        for (const [name, values] of Object.entries(content as Record<string, Values>)) {
          addSamples(samples, group, `${own},${labelsOf(label, name)}`, values)
        }
      }
    }
  }
  const lines: string[] = []
  for (const [group, { tables }] of Object.entries(METRIC_GROUPS)) {
    for (const [name, doc] of tables.flatMap((table) => Object.entries(table))) {
      const found = samples.get(`${group} ${name}`)
      if (found === undefined) continue
      const full = fullName(group, name)
      lines.push(`# HELP ${full} ${doc}`)
      lines.push(`# TYPE ${full} ${name.endsWith('-total') ? 'counter' : 'gauge'}`, ...found)
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function addSamples(samples: Map<string, string[]>, group: string, labels: string, values: Values) {
  for (const [name, value] of Object.entries(values)) {
    const key = `${group} ${name}`
    const line = `${fullName(group, name)}{${labels}} ${numberText(value)}`
    const lines = samples.get(key)
    if (lines === undefined) samples.set(key, [line])
    else lines.push(line)
  }
}

function fullName(group: string, name: string): string {
  return `kafka_${METRIC_GROUPS[group]?.group ?? group}_${name}`.replaceAll('-', '_')
}

/** A partition has two labels, like all that Kafka says of one. */
function labelsOf(label: string, name: string): string {
  if (label !== 'partition') return `${label}="${escapeLabel(name)}"`
  const at = name.lastIndexOf('-')
  const topic = escapeLabel(name.slice(0, at))
  return `topic="${topic}",partition="${name.slice(at + 1)}"`
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}
