/** Apache Kafka's command-line tools, run one after another within one JVM: see ToolBox.java. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, capture, signalGroup, startChild } from './children.ts'
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
  'kafka-dump-log': 'kafka.tools.DumpLogSegments',
  'kafka-e2e-latency': 'org.apache.kafka.tools.EndToEndLatency',
  'kafka-features': 'org.apache.kafka.tools.FeatureCommand',
  'kafka-get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'kafka-groups': 'org.apache.kafka.tools.GroupsCommand',
  'kafka-leader-election': 'org.apache.kafka.tools.LeaderElectionCommand',
  'kafka-log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'kafka-producer-perf-test': 'org.apache.kafka.tools.ProducerPerformance',
  'kafka-reassign-partitions': 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  'kafka-share-groups': 'org.apache.kafka.tools.consumer.group.ShareGroupCommand',
  'kafka-storage': 'kafka.tools.StorageTool',
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
  'kafka-transactions': 'org.apache.kafka.tools.TransactionsCommand',
  'kafka-verifiable-consumer': 'org.apache.kafka.tools.VerifiableConsumer',
  'kafka-verifiable-producer': 'org.apache.kafka.tools.VerifiableProducer',
} as const

export type ToolName = keyof typeof classes

/** Those that print something as their process ends: each run has one of its own. */
const ownProcess: ReadonlySet<string> = new Set([
  'kafka-verifiable-consumer',
  'kafka-verifiable-producer',
] satisfies ToolName[])

export interface ToolResult {
  code: number
  stdout: string
  stderr: string
  /** What it printed to either. */
  output: string
}

export interface ToolBox {
  /** Runs a tool with these arguments, its standard input read from a file. */
  execute(tool: ToolName, args: readonly string[], inputPath?: string): Promise<ToolResult>
  /** The same with `--bootstrap-server` before the other arguments. */
  run(tool: ToolName, args: string[], inputPath?: string): Promise<ToolResult>
  /** The same; the tool must end with 0. Returns what it printed. */
  succeed(tool: ToolName, args: string[], inputPath?: string): Promise<string>
  /** The same; the tool must say that it failed. Returns what it printed. */
  refuse(tool: ToolName, args: string[]): Promise<string>
}

/** Stands for the exit code in an answer if the process is about to end, which will tell. */
const ENDS_PROCESS = -2

/** The JVM for the tools; it ends with the workspace. Some tools end it, and get a new one then. */
class ToolProcess {
  readonly #child: Child
  readonly #outputPath: string
  #at = 0

  constructor(workspace: Workspace, number: number) {
    this.#outputPath = workspace.path(`toolbox-${number}.out`)
    const errorPath = workspace.path('toolbox.log')
    const files = { outputPath: this.#outputPath, errorPath, pipeInput: true }
    const child = startChild('java', javaArguments('ToolBox', []), files)
    workspace.onEnd(() => signalGroup(child.pid, 'SIGKILL'))
    this.#child = child
  }

  get isOver(): boolean {
    return this.#child.exited !== undefined
  }

  async run(parts: readonly string[]): Promise<ToolResult> {
    const command = parts.join('\t')
    this.#child.process.stdin?.write(`${command}\n`)
    const limit = Date.now() + 60_000
    for (;;) {
      const isOver = this.isOver
      const result = this.#answer()
      if (result?.code === ENDS_PROCESS) {
        return { ...result, code: (await this.#child.exit).code ?? -1 }
      }
      if (result !== undefined) return result
      if (Date.now() > limit) signalGroup(this.#child.pid, 'SIGKILL')
      assert.ok(!isOver, `no end: ${command}`)
      await sleep(5)
    }
  }

  /** What has come, in the form that ToolBox.java describes. */
  #answer(): ToolResult | undefined {
    const bytes = readFileSync(this.#outputPath).subarray(this.#at)
    const lineEnd = bytes.indexOf('\n')
    if (lineEnd < 0) return undefined
    const numbers = bytes.subarray(0, lineEnd).toString().split(' ').map(Number)
    const [code = 0, outputLength = 0, errorsLength = 0, bothLength = 0] = numbers
    const outputEnd = lineEnd + 1 + outputLength
    const errorsEnd = outputEnd + errorsLength
    const end = errorsEnd + bothLength
    if (bytes.length < end) return undefined
    this.#at += end
    const stdout = bytes.subarray(lineEnd + 1, outputEnd).toString()
    const stderr = bytes.subarray(outputEnd, errorsEnd).toString()
    return { code, stdout, stderr, output: bytes.subarray(errorsEnd, end).toString() }
  }
}

/** Starts the JVM for the tools. */
export function openToolBox(workspace: Workspace, address: string): ToolBox {
  let started = 1
  let tools = new ToolProcess(workspace, started)

  async function execute(
    tool: ToolName,
    args: readonly string[],
    inputPath = '',
  ): Promise<ToolResult> {
    if (ownProcess.has(tool)) {
      const child = await capture('java', javaArguments(classes[tool], [...args]))
      const { code, output: stdout, errors: stderr } = child
      return { code: code ?? -1, stdout, stderr, output: stdout + stderr }
    }
    if (tools.isOver) tools = new ToolProcess(workspace, ++started)
    return tools.run([classes[tool], inputPath, ...args])
  }

  const run = (tool: ToolName, args: string[], inputPath?: string): Promise<ToolResult> =>
    execute(tool, ['--bootstrap-server', address, ...args], inputPath)

  return {
    execute,
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
