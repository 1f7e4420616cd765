/** `kafka-reassign-partitions.sh`: moves partitions to other brokers, or to other log folders. */
import type { Admin } from '../clients/admin/admin.ts'
import { comparePartitions, partitionName } from '../clients/topic-partition.ts'
import { SystemClock, sleep } from '../common/clock.ts'
import { KafkaError } from '../common/errors.ts'
import { SystemRandom } from '../common/random.ts'
import { type BrokerInRack, proposeReplicas } from './reassign/propose.ts'
import { OPTIONS, type ReassignOptions, readCommandLine } from './reassign/reassign-options.ts'
import {
  COMMAND_FAILED,
  checkPlan,
  duplicates,
  formatPlan,
  type LogDirTarget,
  OPERATION_ERROR,
  type PartitionTarget,
  parsePlan,
  parseTopics,
  type ReassignmentPlan,
  replicaName,
} from './reassign/reassignment-file.ts'
import {
  describeLogDirState,
  logDirStates,
  logDirsOf,
  replicasOf,
  replicasOfTopics,
  verifyPartitions,
} from './reassign/replica-states.ts'
import {
  clearThrottles,
  plannedMoves,
  throttleBrokers,
  throttleLogDirs,
} from './reassign/throttles.ts'
import { openAdmin, outcomesOf, readTextFile } from './support/client-settings.ts'
import {
  firstFailure,
  isForeseen,
  javaText,
  printLine,
  type Tool,
  ToolError,
  ToolExit,
  type ToolIo,
} from './support/tool.ts'

const RETRY_MS = 100

const ALREADY_REASSIGNING =
  'Cannot execute because there is an existing partition assignment.  Use --additional to ' +
  'override this and create a new partition assignment in addition to the existing one. The ' +
  '--additional flag can also be used to change the throttle by resubmitting the current ' +
  'reassignment.'

const VERIFY_LATER =
  'Warning: You must run --verify periodically, until the reassignment completes, to ensure the ' +
  'throttle is removed.'

export const kafkaReassignPartitions: Tool = async (args, io) => {
  const options = readCommandLine(OPTIONS.parse(args))
  try {
    await using admin = openAdmin({
      bootstrapServer: options.value('bootstrap-server') ?? options.value('bootstrap-controller'),
      commandConfig: options.value('command-config'),
      defaults: new Map([['client.id', 'reassign-partitions-tool']]),
      io,
    })
    await act(admin, options, io)
    return 0
  } catch (thrown) {
    const error = firstFailure(thrown)
    if (!isForeseen(error)) throw error
    const { message } = error
    printLine(io.stdout, `Error: ${message}\n${javaText(error)}\n`)
    return 1
  }
}

function planOf(options: ReassignOptions): ReassignmentPlan {
  return parsePlan(readTextFile(options.required('reassignment-json-file')))
}

async function act(admin: Admin, options: ReassignOptions, io: ToolIo): Promise<void> {
  if (options.has('verify')) await verify(admin, options, io)
  else if (options.has('generate')) await generate(admin, options, io)
  else if (options.has('execute')) await execute(admin, options, io)
  else if (options.has('cancel')) await cancel(admin, options, io)
  else await list(admin, io)
}

async function verify(admin: Admin, options: ReassignOptions, io: ToolIo): Promise<void> {
  const plan = planOf(options)
  const { lines, isOngoing } = await verifyPartitions(admin, plan.partitions)
  printLine(io.stdout, lines.join('\n'))
  const states = await logDirStates(admin, plan.logDirs)
  printLine(io.stdout, states.map(describeLogDirState).join('\n'))
  const isMoving = states.some(({ target, current, future }) => {
    return current === undefined ? false : future !== undefined && target.path !== current
  })
  if (isOngoing || isMoving || options.has('preserve-throttles')) return
  await clearThrottles(admin, plan.partitions, io)
}

async function generate(admin: Admin, options: ReassignOptions, io: ToolIo): Promise<void> {
  const brokerIds = options.required('broker-list').split(',').map(brokerNumber)
  const topics = parseTopics(readTextFile(options.required('topics-to-move-json-file')))
  const twice = duplicates(brokerIds)
  if (twice.length > 0) {
    const message = `Broker list contains duplicate entries: [${twice.join(', ')}]`
    throw new ToolError(message, COMMAND_FAILED)
  }
  const repeated = duplicates(topics)
  if (repeated.length > 0) {
    const list = `[${repeated.join(', ')}]`
    const message = `List of topics to reassign contains duplicate entries: ${list}`
    throw new ToolError(message, COMMAND_FAILED)
  }
  const current = await replicasOfTopics(admin, new Set(topics))
  const brokers = await brokersFor(admin, brokerIds, !options.has('disable-rack-aware'))
  const proposed = [...Map.groupBy(current.values(), ({ topic }) => topic)].flatMap(
    ([topic, partitions]) => {
      const replicationFactor = partitions[0]!.replicas.length
      const random = new SystemRandom()
      const proposed = proposeReplicas(brokers, partitions.length, replicationFactor, random)
      return proposed.map((replicas, partition) => ({ topic, partition, replicas }))
    },
  )
  const before = formatPlan([...current.values()], await logDirsOf(admin, [...current.values()]))
  printLine(io.stdout, `Current partition replica assignment\n${before}\n`)
  const after = formatPlan(proposed)
  printLine(io.stdout, `Proposed partition reassignment configuration\n${after}`)
}

function brokerNumber(text: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text)
  throw new ToolError(`For input string: "${text}"`, {
    className: 'java.lang.NumberFormatException',
  })
}

/** The brokers of `ids` that there are. */
async function brokersFor(
  admin: Admin,
  ids: readonly number[],
  isRackAware: boolean,
): Promise<BrokerInRack[]> {
  const { brokers } = await admin.describeCluster()
  const found = brokers.filter(({ id }) => ids.includes(id))
  if (!isRackAware) return found.map(({ id }) => ({ id, rack: null }))
  const rackless = found.filter(({ rack }) => rack === null)
  if (rackless.length === 0 || rackless.length === found.length) return found
  throw new ToolError(
    'Not all brokers have rack information. Add --disable-rack-aware in command line to make ' +
      'replica assignment without rack information.',
    OPERATION_ERROR,
  )
}

async function execute(admin: Admin, options: ReassignOptions, io: ToolIo): Promise<void> {
  const text = readTextFile(options.required('reassignment-json-file'))
  const throttle = options.number('throttle')!
  const logDirThrottle = options.number('replica-alter-log-dirs-throttle')!
  const plan = parsePlan(text)
  checkPlan(plan)
  const ongoing = await admin.listPartitionReassignments()
  if (ongoing.length > 0 && !options.has('additional')) throw failure(ALREADY_REASSIGNING)
  await checkBrokers(admin, plan.partitions)
  const current = await replicasOf(admin, plan.partitions)
  const before = formatPlan([...current.values()], await logDirsOf(admin, [...current.values()]))
  printLine(io.stdout, `Current partition replica assignment\n\n${before}\n`)
  printLine(io.stdout, 'Save this to use as the --reassignment-json-file option during rollback')
  if (throttle >= 0 || logDirThrottle >= 0) printLine(io.stdout, VERIFY_LATER)
  if (throttle >= 0) {
    await throttleBrokers(admin, plannedMoves(ongoing, plan.partitions, current), throttle, io)
  }
  if (logDirThrottle >= 0) {
    const brokers = plan.logDirs.map(({ brokerId }) => brokerId)
    await throttleLogDirs(admin, brokers, logDirThrottle, io)
  }
  await reassign(admin, plan.partitions, 'Error reassigning partition(s)', {
    allowReplicationFactorChange: !options.has('disallow-replication-factor-change'),
  })
  const names = plan.partitions.toSorted(comparePartitions).map(partitionName).join(',')
  const plural = plan.partitions.length === 1 ? '' : 's'
  printLine(io.stdout, `Successfully started partition reassignment${plural} for ${names}`)
  if (plan.logDirs.length > 0) await moveLogDirs(admin, plan.logDirs, options, io)
}

async function checkBrokers(admin: Admin, targets: readonly PartitionTarget[]): Promise<void> {
  const known = new Set((await admin.describeCluster()).brokers.map(({ id }) => id))
  const unknown = targets.flatMap(({ replicas }) => replicas).find((id) => !known.has(id))
  if (unknown === undefined) return
  throw new ToolError(`Unknown broker id ${unknown}`, COMMAND_FAILED)
}

/** Asks for reassignments, or with null replicas has them called off. */
async function reassign(
  admin: Admin,
  targets: Parameters<Admin['alterPartitionReassignments']>[0],
  whatFailed: string,
  callOptions: Parameters<Admin['alterPartitionReassignments']>[1] = {},
): Promise<void> {
  const all = [...targets]
  const call = admin.alterPartitionReassignments(all, callOptions)
  const { failures } = await outcomesOf(call.then(() => new Map<string, true>()))
  if (failures.size === 0) return
  const failed = all.filter((target) => failures.has(partitionName(target))).sort(comparePartitions)
  const lines = failed.map((target) => {
    const name = partitionName(target)
    return `${name}: ${failures.get(name)!.message}`
  })
  throw failure(`${whatFailed}:\n${lines.join('\n')}`)
}

/** Asks until every move has begun: a replica may first have to come to its broker. */
async function moveLogDirs(
  admin: Admin,
  targets: readonly LogDirTarget[],
  options: ReassignOptions,
  io: ToolIo,
): Promise<void> {
  const clock = new SystemClock()
  const timeoutMs = options.number('timeout')!
  const deadlineMs = clock.monotonic() + timeoutMs
  let pending = targets.toSorted((a, b) => a.brokerId - b.brokerId || comparePartitions(a, b))
  for (;;) {
    const waiting: LogDirTarget[] = []
    for (const target of pending) {
      const { brokerId, path } = target
      try {
        await admin.alterReplicaLogDirs([target])
      } catch (thrown) {
        const error = firstFailure(thrown)
        if (!(error instanceof KafkaError && error.errorName === 'REPLICA_NOT_AVAILABLE')) {
          const message = `Failed to alter dir for ${replicaName(target, brokerId)}`
          throw new ToolError(message, COMMAND_FAILED)
        }
        waiting.push(target)
        continue
      }
      const replica = `${partitionName(target)} with broker ${brokerId}`
      const what = `moving log directory to ${path} for replica ${replica}`
      printLine(io.stdout, `Successfully started ${what} `)
    }
    pending = waiting
    if (pending.length === 0) return
    if (clock.monotonic() >= deadlineMs) {
      const names = pending.map((target) => replicaName(target, target.brokerId))
      const plural = names.length === 1 ? '' : 's'
      const what = `log directory move${plural} could be started for: ${names.join(',')}`
      throw failure(`Timed out before ${what}`)
    }
    await sleep(clock, RETRY_MS)
  }
}

async function cancel(admin: Admin, options: ReassignOptions, io: ToolIo): Promise<void> {
  const plan = planOf(options)
  const ongoing =
    plan.partitions.length === 0 ? [] : await admin.listPartitionReassignments(plan.partitions)
  const active = ongoing.sort(comparePartitions)
  if (active.length === 0) {
    printLine(io.stdout, 'None of the specified partition reassignments are active.')
  } else {
    const plural = active.length === 1 ? '' : 's'
    const calledOff = active.map(({ topic, partition }) => ({ topic, partition, replicas: null }))
    await reassign(admin, calledOff, `Error cancelling partition reassignment${plural} for`)
    const names = active.map(partitionName).join(',')
    printLine(io.stdout, `Successfully cancelled partition reassignment${plural} for: ${names}`)
  }
  const states = await logDirStates(admin, plan.logDirs)
  const moving = states.flatMap(({ target, current, future }) =>
    future === undefined || current === undefined ? [] : { ...target, path: current },
  )
  // Kafka's tool ends no line here.
  if (moving.length === 0) io.stdout.write('None of the specified partition moves are active.')
  else await moveLogDirs(admin, moving, options, io)
  if (!options.has('preserve-throttles')) await clearThrottles(admin, plan.partitions, io)
}

async function list(admin: Admin, io: ToolIo): Promise<void> {
  const ongoing = (await admin.listPartitionReassignments()).sort(comparePartitions)
  if (ongoing.length === 0) {
    printLine(io.stdout, 'No partition reassignments found.')
    return
  }
  printLine(io.stdout, 'Current partition reassignments:')
  for (const { replicas, addingReplicas, removingReplicas, ...rest } of ongoing) {
    const part = (label: string, ids: readonly number[]) =>
      ids.length === 0 ? '' : ` ${label}: ${ids.join(',')}.`
    const changes = `${part('adding', addingReplicas)}${part('removing', removingReplicas)}`
    printLine(io.stdout, `${partitionName(rest)}: replicas: ${replicas.join(',')}.${changes}`)
  }
}

/** A failure that is told without a trace of where it happened. */
function failure(message: string): ToolExit {
  return new ToolExit(1, { stdout: `${message}\n` })
}
