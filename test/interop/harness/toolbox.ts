/** Apache Kafka's command-line tools, run one after another within one JVM: see ToolBox.java. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { signalGroup, startChild } from './children.ts'
import { javaArguments } from './clients.ts'
import type { Workspace } from './workspace.ts'

/** The tools by the names of their scripts, with the classes that the scripts run. */
const classes = {
  'kafka-broker-api-versions': 'org.apache.kafka.tools.BrokerApiVersionsCommand',
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'kafka-console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'kafka-console-share-consumer': 'org.apache.kafka.tools.consumer.ConsoleShareConsumer',
  'kafka-consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'kafka-consumer-perf-test': 'org.apache.kafka.tools.ConsumerPerformance',
  'kafka-delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'kafka-e2e-latency': 'org.apache.kafka.tools.EndToEndLatency',
  'kafka-features': 'org.apache.kafka.tools.FeatureCommand',
  'kafka-get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'kafka-groups': 'org.apache.kafka.tools.GroupsCommand',
  'kafka-leader-election': 'org.apache.kafka.tools.LeaderElectionCommand',
  'kafka-log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'kafka-producer-perf-test': 'org.apache.kafka.tools.ProducerPerformance',
  'kafka-reassign-partitions': 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  'kafka-share-groups': 'org.apache.kafka.tools.consumer.group.ShareGroupCommand',
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
  'kafka-transactions': 'org.apache.kafka.tools.TransactionsCommand',
  'kafka-verifiable-consumer': 'org.apache.kafka.tools.VerifiableConsumer',
} as const

export type ToolName = keyof typeof classes

export interface ToolResult {
  code: number
  /** What it printed to standard output and error. */
  output: string
}

export interface ToolBox {
  /** Runs a tool with `--bootstrap-server` before the other arguments. */
  run(tool: ToolName, args: string[], inputPath?: string): Promise<ToolResult>
  /** The same; the tool must end with 0. Returns what it printed. */
  succeed(tool: ToolName, args: string[], inputPath?: string): Promise<string>
  /** The same; the tool must say that it failed. Returns what it printed. */
  refuse(tool: ToolName, args: string[]): Promise<string>
}

/** Starts the JVM for the tools; it ends with the workspace. */
export function openToolBox(workspace: Workspace, address: string): ToolBox {
  const outputPath = workspace.path('toolbox.out')
  const errorPath = workspace.path('toolbox.log')
  const files = { outputPath, errorPath, pipeInput: true }
  const child = startChild('java', javaArguments('ToolBox', []), files)
  workspace.onEnd(() => signalGroup(child.pid, 'SIGKILL'))
  let at = 0

  /** Waits for an answer: a line with the exit code and the number of bytes, then these. */
  async function answer(command: string): Promise<ToolResult> {
    const limit = Date.now() + 60_000
    for (;;) {
      const bytes = readFileSync(outputPath).subarray(at)
      const lineEnd = bytes.indexOf('\n')
      const [code = 0, length = 0] = bytes.subarray(0, lineEnd).toString().split(' ').map(Number)
      const end = lineEnd + 1 + length
      if (lineEnd >= 0 && bytes.length >= end) {
        at += end
        return { code, output: bytes.subarray(lineEnd + 1, end).toString() }
      }
      const isOver = Date.now() > limit
      assert.ok(!isOver && child.exited === undefined, `no end: ${command}`)
      await sleep(5)
    }
  }

  async function run(tool: ToolName, args: string[], inputPath = ''): Promise<ToolResult> {
    const all = ['--bootstrap-server', address, ...args]
    child.process.stdin?.write(`${[classes[tool], inputPath, ...all].join('\t')}\n`)
    return answer(`${tool} ${all.join(' ')}`)
  }

  return {
    run,
    async succeed(tool, args, inputPath) {
      const { code, output } = await run(tool, args, inputPath)
      assert.equal(code, 0, `${tool} ${args.join(' ')} ended with ${code}:\n${output}`)
      return output
    },
    async refuse(tool, args) {
      const { code, output } = await run(tool, args)
      assert.notEqual(code, 0, `${tool} ${args.join(' ')} ended with 0:\n${output}`)
      return output
    },
  }
}
