/** What kafka-topics is told of a topic that it is to create or extend. */
import type { NewTopic } from '../../clients/admin/topics.ts'
import { Config, ConfigSource } from '../../common/config/config.ts'
import { ConfigError } from '../../common/config/config-value.ts'
import { TOPIC_CONFIG } from '../../common/config/topic-config.ts'
import { parseInteger } from '../support/integer.ts'
import { ILLEGAL_ARGUMENT, ToolError } from '../support/tool.ts'
import type { TopicsOptions } from './options.ts'

/** The brokers of each partition, or undefined. Throws ToolError. */
export function readAssignment(options: TopicsOptions): number[][] | undefined {
  const text = options.value('replica-assignment')
  if (text === undefined || text === '') return undefined
  const assignments: number[][] = []
  for (const [index, part] of text.replace(/,+$/, '').split(',').entries()) {
    const brokers = part
      .replace(/:+$/, '')
      .split(':')
      .map((id) => parseInteger(id.trim()))
    const duplicates = brokers.filter((id, position) => brokers.indexOf(id) !== position)
    if (duplicates.length > 0) {
      throw new ToolError(
        `Partition replica lists may not contain duplicate entries: ${[...new Set(duplicates)]}`,
        { className: 'org.apache.kafka.tools.AdminCommandFailedException' },
      )
    }
    if (assignments.length > 0 && assignments[0]!.length !== brokers.length) {
      const listed = `[${brokers.join(', ')}]`
      throw new ToolError(`Partition ${index} has different replication factor: ${listed}`, {
        className: 'org.apache.kafka.tools.AdminOperationException',
      })
    }
    assignments.push(brokers)
  }
  return assignments
}

/** The settings of a topic, checked as far as that is possible without the broker. */
export function readConfigs(options: TopicsOptions): Record<string, string> {
  const pairs = options.values('config').map((text) => {
    const parts = text.split(/\s*=\s*/)
    while (parts.at(-1) === '') parts.pop()
    return parts.map((part) => part.trim())
  })
  if (pairs.some((pair) => pair.length !== 2)) {
    throw new ToolError(
      'requirement failed: Invalid topic config: all configs to be added must be in the format ' +
        '"key=val".',
      ILLEGAL_ARGUMENT,
    )
  }
  const entries = new Map(pairs as [string, string][])
  for (const name of entries.keys()) {
    if (Object.hasOwn(TOPIC_CONFIG.keys, name)) continue
    throw new ToolError(`Unknown topic config name: ${name}`, {
      className: 'org.apache.kafka.common.errors.InvalidConfigurationException',
    })
  }
  try {
    new Config(TOPIC_CONFIG, [[ConfigSource.TOPIC_CONFIG, entries]])
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ToolError(error.message, {
      className: 'org.apache.kafka.common.config.ConfigException',
    })
  }
  return Object.fromEntries(entries)
}

/** The topic that `--create` asks for. */
export function readNewTopic(options: TopicsOptions): NewTopic {
  const topic = options.required('topic')
  const partitions = options.number('partitions')
  const replicationFactor = options.number('replication-factor')
  const assignments = readAssignment(options)
  const configs = readConfigs(options)
  return {
    ...{ topic, configs },
    ...(assignments !== undefined && { assignments }),
    ...(partitions !== undefined && { partitions }),
    ...(replicationFactor !== undefined && { replicationFactor }),
  }
}

/** Throws ToolError for what no topic can have. */
export function checkNewTopic({ topic, partitions, replicationFactor }: NewTopic): void {
  if (replicationFactor !== undefined && !(replicationFactor >= 1 && replicationFactor < 2 ** 15)) {
    const message = 'The replication factor must be between 1 and 32767 inclusive'
    throw new ToolError(message, ILLEGAL_ARGUMENT)
  }
  if (partitions !== undefined && partitions < 1) {
    throw new ToolError('The partitions must be greater than 0', ILLEGAL_ARGUMENT)
  }
  if (topic === '') {
    throw new ToolError("The given topic name '' cannot be represented in a request.", {
      className: 'org.apache.kafka.common.errors.InvalidTopicException',
    })
  }
}
