/**
 * `kafka-transactions.sh`: shows transactions and the producers that write them, and ends those
 * that hang (KIP-664).
 */
import type { Admin } from '../clients/admin/admin.ts'
import type { KafkaError } from '../clients/errors.ts'
import { partitionName, type TopicPartition } from '../clients/topic-partition.ts'
import { SystemClock } from '../common/clock.ts'
import { type Namespace, parseArguments } from './support/argparse.ts'
import { openAdmin } from './support/client-settings.ts'
import { inHashOrder, partitionHash } from './support/java-hash-order.ts'
import { prettyTable } from './support/pretty-table.ts'
import { javaTrace, type Tool, ToolError, type ToolIo } from './support/tool.ts'
import { TRANSACTIONS_PARSER } from './transactions/arguments.ts'
import { failure, orFail } from './transactions/failure.ts'
import { findHanging } from './transactions/find-hanging.ts'

type Command = (admin: Admin, args: Namespace, io: ToolIo) => Promise<void>

const COMMANDS: Readonly<Record<string, Command>> = {
  list: listTransactions,
  describe: describeTransaction,
  'describe-producers': describeProducers,
  abort: abortTransaction,
  'find-hanging': showHanging,
  forceTerminateTransaction: terminateTransaction,
}

async function listTransactions(admin: Admin, args: Namespace, io: ToolIo): Promise<void> {
  const [minDurationMs, pattern] = [
    args.number('duration_filter'),
    args.string('transactional_id_pattern'),
  ]
  const call = admin.listTransactions({
    ...(minDurationMs !== undefined && { minDurationMs }),
    ...(pattern !== undefined && { pattern }),
  })
  const all = await orFail(call, 'Failed to list transactions')
  const headers = ['TransactionalId', 'Coordinator', 'ProducerId', 'TransactionState']
  const rows = all.map(({ transactionalId, coordinatorId, producerId, state }) => {
    return [transactionalId, String(coordinatorId), String(producerId), state]
  })
  io.stdout.write(prettyTable(headers, rows))
}

async function describeTransaction(admin: Admin, args: Namespace, io: ToolIo): Promise<void> {
  const id = args.string('transactional_id')!
  const request = `DescribeTransactions request for transactionalId \`${id}\` failed`
  const explain = ({ errorName }: KafkaError) =>
    errorName === 'TRANSACTIONAL_ID_NOT_FOUND'
      ? `${request} because the ID could not be found`
      : undefined
  const call = admin.describeTransactions([id])
  const what = `Failed to describe transaction state of transactional-id \`${id}\``
  const found = (await orFail(call, what, explain)).get(id)!
  const { startTimeMs } = found
  const durationMs = startTimeMs === undefined ? undefined : new SystemClock().now() - startTimeMs
  const row = [
    ...[String(found.coordinatorId), id, String(found.producerId), String(found.producerEpoch)],
    ...[found.state, String(found.timeoutMs)],
    ...[startTimeMs, durationMs].map((time) => (time === undefined ? 'None' : String(time))),
    inHashOrder(found.partitions, partitionHash).map(partitionName).join(','),
  ]
  const headers = [
    ...['CoordinatorId', 'TransactionalId', 'ProducerId', 'ProducerEpoch', 'TransactionState'],
    ...['TransactionTimeoutMs', 'CurrentTransactionStartTimeMs', 'TransactionDurationMs'],
    'TopicPartitions',
  ]
  io.stdout.write(prettyTable(headers, [row]))
}

function partitionOf(args: Namespace): TopicPartition {
  return { topic: args.string('topic')!, partition: args.number('partition')! }
}

async function describeProducers(admin: Admin, args: Namespace, io: ToolIo): Promise<void> {
  const partition = partitionOf(args)
  const brokerId = args.number('broker_id')
  const call = admin.describeProducers([partition], brokerId === undefined ? {} : { brokerId })
  const where = brokerId === undefined ? 'leader' : `broker ${brokerId}`
  const name = partitionName(partition)
  const [found] = await orFail(
    call,
    `Failed to describe producers for partition ${name} on ${where}`,
    ({ errorName }) =>
      errorName === 'NOT_LEADER_OR_FOLLOWER'
        ? `Failed to describe active producers for partition ${name} on brokerId ${brokerId}`
        : undefined,
  )
  const headers = [
    ...['ProducerId', 'ProducerEpoch', 'LatestCoordinatorEpoch', 'LastSequence', 'LastTimestamp'],
    'CurrentTransactionStartOffset',
  ]
  const rows = found!.producers.map((producer) => [
    ...[String(producer.producerId), String(producer.producerEpoch)],
    ...[String(producer.coordinatorEpoch), String(producer.lastSequence)],
    ...[String(producer.lastTimestamp), String(producer.transactionStartOffset ?? 'None')],
  ])
  io.stdout.write(prettyTable(headers, rows))
}

async function abortTransaction(admin: Admin, args: Namespace): Promise<void> {
  const partition = partitionOf(args)
  const transaction = { ...partition, ...(await producerToAbort(admin, args, partition)) }
  const { producerId, producerEpoch, coordinatorEpoch } = transaction
  const spec =
    `AbortTransactionSpec(topicPartition=${partitionName(partition)}, producerId=${producerId}, ` +
    `producerEpoch=${producerEpoch}, coordinatorEpoch=${coordinatorEpoch})`
  const request = `WriteTxnMarkers request with ${spec} failed`
  const explain = ({ errorName, message }: KafkaError): string => {
    if (errorName === 'INVALID_PRODUCER_EPOCH') return `${request} due an invalid producer epoch`
    if (errorName !== 'TRANSACTION_COORDINATOR_FENCED') {
      return `${request} due to unexpected error: ${message}`
    }
    const epoch = `the provided coordinator epoch ${coordinatorEpoch}`
    return `${request} since ${epoch} has been fenced by the active coordinator`
  }
  const call = admin.abortTransaction(transaction)
  await orFail(call, `Failed to abort transaction ${spec}`, explain)
}

/** The producer of the transaction that is to be aborted, as the arguments tell of it. */
async function producerToAbort(admin: Admin, args: Namespace, partition: TopicPartition) {
  const startOffset = args.number('start_offset')
  const producerId = args.number('producer_id')
  if (startOffset !== undefined) return findProducer(admin, partition, startOffset)
  if (producerId === undefined) {
    throw new ToolError(
      'The transaction to abort must be identified either with --start-offset (for brokers on ' +
        '3.0 or above) or with --producer-id, --producer-epoch, and --coordinator-epoch (for ' +
        'older brokers)',
    )
  }
  const [producerEpoch, epoch] = [args.number('producer_epoch'), args.number('coordinator_epoch')]
  if (producerEpoch === undefined) {
    throw new ToolError('Missing required argument --producer-epoch')
  }
  if (epoch === undefined) throw new ToolError('Missing required argument --coordinator-epoch')
  return { producerId, producerEpoch, coordinatorEpoch: Math.max(0, epoch) }
}

async function findProducer(admin: Admin, partition: TopicPartition, startOffset: number) {
  const name = partitionName(partition)
  const call = admin.describeProducers([partition])
  const [found] = await orFail(call, `Failed to validate producer state for partition ${name}`)
  const producer = found!.producers.find((one) => one.transactionStartOffset === startOffset)
  if (producer === undefined) {
    const what = `open transactions starting at offset ${startOffset}`
    throw new ToolError(`Could not find any ${what} on partition ${name}`)
  }
  // Before its first marker in the partition a producer's coordinator is not known.
  const { producerId, producerEpoch, coordinatorEpoch } = producer
  return { producerId, producerEpoch, coordinatorEpoch: Math.max(0, coordinatorEpoch) }
}

async function showHanging(admin: Admin, args: Namespace, io: ToolIo): Promise<void> {
  const nowMs = new SystemClock().now()
  const hanging = await findHanging(admin, args, nowMs)
  const headers = [
    ...['Topic', 'Partition', 'ProducerId', 'ProducerEpoch', 'CoordinatorEpoch', 'StartOffset'],
    ...['LastTimestamp', 'Duration(min)'],
  ]
  const rows = hanging.map(({ topic, partition, producer }) => [
    ...[topic, String(partition), String(producer.producerId), String(producer.producerEpoch)],
    ...[String(producer.coordinatorEpoch), String(producer.transactionStartOffset ?? -1)],
    ...[String(producer.lastTimestamp)],
    String(Math.trunc((nowMs - producer.lastTimestamp) / 60_000)),
  ])
  io.stdout.write(prettyTable(headers, rows))
}

async function terminateTransaction(admin: Admin, args: Namespace): Promise<void> {
  const id = args.string('transactionalId')!
  const call = admin.fenceProducers([id])
  const request = `InitProducerId request for transactionalId \`${id}\``
  await orFail(
    call,
    `Failed to force terminate transactionalId \`${id}\``,
    ({ errorName, message }) =>
      errorName === 'REQUEST_TIMED_OUT' ? message : `${request} failed due to unexpected error`,
  )
}

function open(args: Namespace, io: ToolIo): Admin {
  const bootstrapServer = args.string('bootstrap_server')
  const commandConfig = args.string('command_config')
  try {
    return openAdmin({ bootstrapServer, commandConfig, io })
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    const isOfFile = error.className.startsWith('java.nio.')
    throw isOfFile
      ? failure('Failed to load admin client properties', error.message)
      : new ToolError(javaTrace(error))
  }
}

export const kafkaTransactions: Tool = async (args, io) => {
  const parsed = parseArguments(TRANSACTIONS_PARSER, args)
  await using admin = open(parsed, io)
  await COMMANDS[parsed.command!]!(admin, parsed, io)
  return 0
}
