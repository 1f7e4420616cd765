/**
 * Finds transactions that hang: open in a partition for longer than any transaction may be, while
 * their coordinator does not know of them, or not of this partition.
 */
import type { Admin } from '../../clients/admin/admin.ts'
import type { ActiveProducer } from '../../clients/admin/partitions.ts'
import type { TransactionDescription } from '../../clients/admin/transactions.ts'
import type { TopicPartition } from '../../clients/topic-partition.ts'
import type { Namespace } from '../support/argparse.ts'
import { outcomesOf } from '../support/client-settings.ts'
import { ToolError } from '../support/tool.ts'
import { orFail } from './failure.ts'

export interface OpenTransaction extends TopicPartition {
  readonly producer: ActiveProducer
}

const MINUTE_MS = 60_000
/** How much one request asks about. */
const BATCH = 500

export async function findHanging(
  admin: Admin,
  args: Namespace,
  nowMs: number,
): Promise<OpenTransaction[]> {
  const [topic, brokerId] = [args.string('topic'), args.number('broker_id')]
  if (topic === undefined && brokerId === undefined) {
    throw new ToolError(
      'The `find-hanging` command requires either --topic or --broker-id to limit the scope of ' +
        'the search',
    )
  }
  const partition = args.number('partition')
  if (partition !== undefined && topic === undefined) {
    throw new ToolError('The --partition argument requires --topic to be provided')
  }
  const partitions =
    topic !== undefined && partition !== undefined
      ? [{ topic, partition }]
      : await partitionsToSearch(admin, topic, brokerId)
  const longestMs = args.number('max_transaction_timeout')! * MINUTE_MS
  const candidates: OpenTransaction[] = []
  for (const batch of batches(partitions)) {
    const call = admin.describeProducers(batch, brokerId === undefined ? {} : { brokerId })
    const broker = brokerId === undefined ? 'Optional.empty' : `Optional[${brokerId}]`
    const what = `Failed to describe producers for ${batch.length} partitions on broker ${broker}`
    for (const found of await orFail(call, what)) {
      const open = found.producers.filter(
        ({ transactionStartOffset, lastTimestamp }) =>
          transactionStartOffset !== undefined && nowMs - lastTimestamp > longestMs,
      )
      const { topic: name, partition: number } = found
      candidates.push(...open.map((producer) => ({ topic: name, partition: number, producer })))
    }
  }
  return candidates.length === 0 ? [] : hangingOf(admin, candidates)
}

function batches<Item>(items: readonly Item[]): Item[][] {
  const count = Math.ceil(items.length / BATCH)
  return Array.from({ length: count }, (_, index) =>
    items.slice(index * BATCH, (index + 1) * BATCH),
  )
}

async function partitionsToSearch(
  admin: Admin,
  topic: string | undefined,
  brokerId: number | undefined,
): Promise<TopicPartition[]> {
  const listing = async () =>
    (await admin.listTopics({ includeInternal: true })).map(({ name }) => name)
  const topics = topic === undefined ? await orFail(listing(), 'Failed to list topics') : [topic]
  const found: TopicPartition[] = []
  for (const batch of batches(topics)) {
    const call = admin.describeTopics(batch)
    const described = await orFail(call, `Failed to describe ${batch.length} topics`)
    for (const [name, { partitions }] of described) {
      const meant = partitions.filter(
        ({ replicas }) => brokerId === undefined || replicas.includes(brokerId),
      )
      found.push(...meant.map(({ partition }) => ({ topic: name, partition })))
    }
  }
  return found
}

/** Those of which the coordinator does not say that it is going to end them. */
async function hangingOf(
  admin: Admin,
  candidates: readonly OpenTransaction[],
): Promise<OpenTransaction[]> {
  const producerIds = [...new Set(candidates.map(({ producer }) => producer.producerId))]
  const listing = admin.listTransactions({ producerIds })
  const what = `Failed to list transactions for ${producerIds.length} producers`
  const listed = await orFail(listing, what)
  const ids = new Map(listed.map((one) => [one.producerId, one.transactionalId]))
  const descriptions = await describe(admin, new Set(ids.values()))
  return candidates.filter(({ topic, partition, producer }) => {
    const description = descriptions.get(ids.get(producer.producerId) ?? '')
    const isExpected = description?.partitions.some(
      (one) => one.topic === topic && one.partition === partition,
    )
    return isExpected !== true
  })
}

async function describe(
  admin: Admin,
  transactionalIds: ReadonlySet<string>,
): Promise<ReadonlyMap<string, TransactionDescription>> {
  const { results, failures } = await outcomesOf(admin.describeTransactions(transactionalIds))
  const failure = failures.values().find((one) => one.errorName !== 'TRANSACTIONAL_ID_NOT_FOUND')
  const what = `Failed to describe ${transactionalIds.size} transactions`
  if (failure !== undefined) await orFail(Promise.reject(failure), what)
  return results
}
