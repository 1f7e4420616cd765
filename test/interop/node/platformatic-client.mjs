/** @platformatic/kafka as a client program of harness/contract.ts. */
import { Admin, Consumer, Producer } from '@platformatic/kafka'
import { emit, emitOwns, emitRecord, main, Progress, runSteps, stopped } from './contract.mjs'

const FENCED_CODES = [47, 90] // INVALID_PRODUCER_EPOCH, PRODUCER_FENCED
const TOPIC_RESOURCE = 2
const SET = 0
const isolationLevels = { read_uncommitted: 0, read_committed: 1 }

/** By itself the library gives up on a broker that is gone for three seconds. */
const connection = ({ address }) => ({
  clientId: 'interop',
  bootstrapBrokers: [address],
  retries: 40,
  retryDelay: 250,
})

const toBytes = (text) => (text === null ? null : Buffer.from(text))

const toMessage = (topic, record) => ({
  topic,
  partition: record.partition,
  key: toBytes(record.key),
  value: toBytes(record.value),
  headers: new Map(record.headers.map((header) => header.map(toBytes))),
  timestamp: BigInt(record.timestamp),
})

async function produce(request) {
  const { topic, codec: compression, idempotent, records } = request
  const producer = new Producer({ ...connection(request), idempotent })
  const messages = records.map((record) => toMessage(topic, record))
  await producer.send({ messages, compression, acks: -1 })
  await producer.close()
}

function consumer(request, more) {
  const patience = { sessionTimeout: 3000, heartbeatInterval: 300, rebalanceTimeout: 10_000 }
  const groupProtocol = request.protocol ?? 'classic'
  return new Consumer({
    ...connection(request),
    ...patience,
    groupProtocol,
    groupId: request.group,
    autocommit: false,
    maxWaitTime: 100,
    ...more,
  })
}

function show({ partition, offset, key, value, headers, timestamp }) {
  emitRecord(partition, offset, key, value, [...headers], timestamp)
}

async function consume(request) {
  const isolationLevel = isolationLevels[request.isolation]
  const reader = consumer(request)
  const stream = await reader.consume({ topics: [request.topic], mode: 'earliest', isolationLevel })
  const progress = new Progress(request.last)
  stream.on('data', (message) => {
    show(message)
    progress.saw(message.partition, message.offset)
  })
  await progress.done
  await reader.close(true)
}

const fromCommitted = { mode: 'committed', fallbackMode: 'earliest' }

const positionAfter = ({ topic, partition, offset }) => ({
  offsets: [{ topic, partition, offset: offset + 1n, leaderEpoch: -1 }],
})

async function read(request) {
  const reader = consumer(request)
  const stream = await reader.consume({ topics: [request.topic], ...fromCommitted })
  let left = request.count
  for await (const message of stream) {
    show(message)
    left -= 1
    if (left > 0) continue
    await reader.commit(positionAfter(message))
    break
  }
  await reader.close(true)
}

/**
 * Prints the partitions at the moment at which the library takes them on. In a classic group it does
 * not say when it lets go of them, so there the generation goes along.
 */
function watchAssignments(reader, protocol) {
  let current = reader.assignments
  Object.defineProperty(reader, 'assignments', {
    get: () => current,
    set(value) {
      current = value
      const owned = (current ?? []).flatMap(({ partitions }) => partitions)
      emitOwns(owned, protocol === 'classic' ? reader.generationId : undefined)
    },
  })
}

async function member(request) {
  const reader = consumer(request)
  watchAssignments(reader, request.protocol)
  const stream = await reader.consume({ topics: [request.topic], ...fromCommitted })
  const consuming = (async () => {
    for await (const message of stream) {
      show(message)
      await reader.commit(positionAfter(message)).catch((error) => {
        // A rebalance has begun meanwhile: whoever gets the partition reads this again.
        console.error(`commit of ${message.partition}: ${error}`)
      })
    }
  })()
  await stopped()
  await stream.close()
  await consuming
  emitOwns([])
  await reader.close(true)
}

const transactionalProducer = (request) =>
  new Producer({
    ...connection(request),
    transactionalId: request.transactionalId,
    idempotent: true,
  })

/** By itself the library offers producer id 0 as one it already has, and is fenced for it. */
const begin = (producer) => producer.beginTransaction({ producerId: -1n, producerEpoch: -1 })

async function transact(request) {
  const { topic, transactions } = request
  const producer = transactionalProducer(request)
  for (const { records, outcome } of transactions) {
    const transaction = await begin(producer)
    await transaction.send({ messages: records.map((record) => toMessage(topic, record)) })
    if (outcome === 'commit') await transaction.commit()
    else await transaction.abort()
  }
  await producer.close()
}

/** The error code that the broker gave, wherever in the chain of causes it is. */
function codeOf(error) {
  const causes = [error.cause, ...(error.errors ?? [])].filter((cause) => cause instanceof Error)
  return error.apiCode ?? causes.map(codeOf).find((code) => code !== undefined)
}

async function fence(request) {
  const { topic } = request
  const send = (transaction, records) =>
    transaction.send({ messages: records.map((record) => toMessage(topic, record)) })
  const first = transactionalProducer(request)
  const fenced = await begin(first)
  await send(fenced, request.first)
  const second = transactionalProducer(request)
  const successor = await begin(second)
  await send(successor, request.second)
  await fenced.commit().then(
    () => emit({ type: 'fenced', fenced: false, error: 'it could commit' }),
    (error) =>
      emit({ type: 'fenced', fenced: FENCED_CODES.includes(codeOf(error)), error: String(error) }),
  )
  await successor.commit()
  await first.close(true)
  await second.close()
}

const resource = (topic, more) => ({
  resourceType: TOPIC_RESOURCE,
  resourceName: topic,
  ...more,
})

const startingWith = (prefix, names) => names.filter((name) => name.startsWith(prefix)).sort()

const deeds = (admin) => ({
  'create-topic': async ({ topic, partitions, configs }) => {
    const pairs = Object.entries(configs).map(([name, value]) => ({ name, value }))
    await admin.createTopics({ topics: [topic], partitions, replicas: 1, configs: pairs })
  },
  'list-topics': async ({ prefix }) => ({
    topics: startingWith(prefix, await admin.listTopics()),
  }),
  'describe-topic': async ({ topic }) => {
    const metadata = await admin.metadata({ topics: [topic], forceUpdate: true })
    return { partitions: metadata.topics.get(topic).partitionsCount }
  },
  'create-partitions': async ({ topic, total }) => {
    await admin.createPartitions({ topics: [{ name: topic, count: total, assignments: null }] })
  },
  'describe-config': async ({ topic, key }) => {
    const resources = [resource(topic, { configurationKeys: [key] })]
    const [found] = await admin.describeConfigs({ resources })
    return { value: found.configs[0].value }
  },
  'alter-config': async ({ topic, key, value }) => {
    const configs = [{ name: key, configOperation: SET, value }]
    await admin.incrementalAlterConfigs({ resources: [resource(topic, { configs })] })
  },
  'delete-records': async ({ topic, partition, before }) => {
    const partitions = [{ partition, offset: BigInt(before) }]
    const [found] = await admin.deleteRecords({ topics: [{ name: topic, partitions }] })
    return { low: Number(found.partitions[0].lowWatermark) }
  },
  'list-groups': async ({ prefix }) => ({
    groups: startingWith(prefix, [...(await admin.listGroups()).keys()]),
  }),
  'describe-group': async ({ group }) => {
    const found = (await admin.describeGroups({ groups: [group] })).get(group)
    const state = found.state.charAt(0) + found.state.slice(1).toLowerCase()
    return { state, members: found.members.size }
  },
  'group-offsets': async ({ group, topic, partitions }) => {
    const topics = [{ name: topic, partitionIndexes: [...Array(partitions).keys()] }]
    const [found] = await admin.listConsumerGroupOffsets({ groups: [{ groupId: group, topics }] })
    const offsets = found.topics[0].partitions
    return { offsets: offsets.map(({ committedOffset }) => Number(committedOffset)) }
  },
  'set-group-offsets': async ({ group, topic, offsets }) => {
    const partitionOffsets = offsets.map((offset, partition) => ({
      partition,
      offset: BigInt(offset),
    }))
    const topics = [{ name: topic, partitionOffsets }]
    await admin.alterConsumerGroupOffsets({ groupId: group, topics })
  },
  'delete-group': async ({ group }) => {
    await admin.deleteGroups({ groups: [group] })
  },
  'delete-topic': async ({ topic }) => {
    await admin.deleteTopics({ topics: [topic] })
  },
})

async function admin(request) {
  const asked = new Admin({ ...connection(request), retries: 0 })
  await runSteps(request, deeds(asked), codeOf)
  await asked.close()
}

await main({ produce, consume, read, member, transact, fence, admin })
