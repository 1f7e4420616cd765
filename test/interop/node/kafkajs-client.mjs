/** kafkajs as a client program of harness/contract.ts. */

import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import kafkajs from 'kafkajs'
import snappy from 'kafkajs-snappy'
import { compressFrame, decompressFrame } from 'lz4-napi'
import { emit, emitOwns, emitRecord, main, Progress, runSteps, stopped } from './contract.mjs'

const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = kafkajs

// The library itself only knows gzip; the others are what its users plug in.
CompressionCodecs[CompressionTypes.Snappy] = snappy
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder) => compressFrame(encoder.buffer),
  decompress: (bytes) => decompressFrame(bytes),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: (encoder) => promisify(zstdCompress)(encoder.buffer),
  decompress: (bytes) => promisify(zstdDecompress)(bytes),
})

const compressionTypes = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}

const FENCED_CODES = [47, 90] // INVALID_PRODUCER_EPOCH, PRODUCER_FENCED
const TOPIC_ALREADY_EXISTS = 36

/** The log goes to standard error, as standard output is for answers. */
const logCreator = () => (entry) => console.error(entry.label, entry.namespace, entry.log)

const client = (request) =>
  new Kafka({ brokers: [request.address], logLevel: logLevel.WARN, logCreator })

const toMessage = (record) => ({
  partition: record.partition,
  key: record.key,
  value: record.value,
  headers: Object.fromEntries(record.headers),
  timestamp: String(record.timestamp),
})

async function produce(request) {
  const { topic, codec, idempotent, records } = request
  const settings = idempotent ? { idempotent, maxInFlightRequests: 1 } : {}
  const producer = client(request).producer(settings)
  await producer.connect()
  const messages = records.map(toMessage)
  await producer.send({ topic, compression: compressionTypes[codec], messages })
  await producer.disconnect()
}

function consumer(request, more) {
  const { group: groupId } = request
  const patience = { sessionTimeout: 3000, heartbeatInterval: 300, maxWaitTimeInMs: 100 }
  return client(request).consumer({ groupId, ...patience, ...more })
}

function show(partition, { offset, key, value, headers, timestamp }) {
  emitRecord(partition, offset, key, value, Object.entries(headers), timestamp)
}

async function consume(request) {
  const readUncommitted = request.isolation === 'read_uncommitted'
  const reader = consumer(request, { readUncommitted })
  const progress = new Progress(request.last)
  await reader.connect()
  await reader.subscribe({ topic: request.topic, fromBeginning: true })
  await reader.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      show(partition, message)
      progress.saw(partition, message.offset)
    },
  })
  await progress.done
  await reader.disconnect()
}

async function read(request) {
  const { topic } = request
  const reader = consumer(request)
  await reader.connect()
  await reader.subscribe({ topic, fromBeginning: true })
  let left = request.count
  await new Promise((resolve, reject) => {
    const eachMessage = async ({ partition, message }) => {
      if (left === 0) return
      show(partition, message)
      left -= 1
      if (left > 0) return
      const offset = String(Number(message.offset) + 1)
      await reader.commitOffsets([{ topic, partition, offset }])
      resolve()
    }
    reader.run({ autoCommit: false, eachMessage }).catch(reject)
  })
  await reader.disconnect()
}

async function member(request) {
  const { topic } = request
  const reader = consumer(request)
  reader.on(reader.events.GROUP_JOIN, ({ payload }) =>
    emitOwns(payload.memberAssignment[topic] ?? []),
  )
  reader.on(reader.events.REBALANCING, () => emitOwns([]))
  reader.on(reader.events.CRASH, () => emitOwns([]))
  await reader.connect()
  await reader.subscribe({ topic, fromBeginning: true })
  await reader.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset }) => {
      const { partition } = batch
      for (const message of batch.messages) show(partition, message)
      const offset = String(Number(batch.lastOffset()) + 1)
      await reader.commitOffsets([{ topic, partition, offset }])
      resolveOffset(batch.lastOffset())
    },
  })
  await stopped()
  await reader.stop()
  emitOwns([])
  await reader.disconnect()
  // A connection that was lost with the broker keeps the process alive.
  process.exit(0)
}

async function transactionalProducer(request) {
  const { transactionalId } = request
  const settings = { transactionalId, idempotent: true, maxInFlightRequests: 1 }
  const producer = client(request).producer({ ...settings, retry: { retries: 10 } })
  await producer.connect()
  return producer
}

async function transact(request) {
  const { topic, transactions } = request
  const producer = await transactionalProducer(request)
  for (const { records, offset, outcome } of transactions) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: records.map(toMessage) })
    if (offset !== undefined) {
      const partitions = [{ partition: 0, offset: String(offset.offset) }]
      const topics = [{ topic, partitions }]
      await transaction.sendOffsets({ consumerGroupId: offset.group, topics })
    }
    if (outcome === 'commit') await transaction.commit()
    else await transaction.abort()
  }
  await producer.disconnect()
}

async function fence(request) {
  const { topic } = request
  const first = await transactionalProducer(request)
  const fenced = await first.transaction()
  await fenced.send({ topic, messages: request.first.map(toMessage) })
  const second = await transactionalProducer(request)
  const successor = await second.transaction()
  await successor.send({ topic, messages: request.second.map(toMessage) })
  await fenced.commit().then(
    () => emit({ type: 'fenced', fenced: false, error: 'it could commit' }),
    (error) =>
      emit({ type: 'fenced', fenced: FENCED_CODES.includes(codeOf(error)), error: String(error) }),
  )
  await successor.commit()
  await first.disconnect()
  await second.disconnect()
}

const resource = (topic, more) => ({ type: ConfigResourceTypes.TOPIC, name: topic, ...more })

const startingWith = (prefix, names) => names.filter((name) => name.startsWith(prefix)).sort()

const deeds = (admin) => ({
  'create-topic': async ({ topic, partitions, configs }) => {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    const numPartitions = partitions
    const topics = [{ topic, numPartitions, replicationFactor: 1, configEntries }]
    // A topic that exists is no error in this library's words, but the answer "not created".
    if (!(await admin.createTopics({ topics }))) return { error: TOPIC_ALREADY_EXISTS }
  },
  'list-topics': async ({ prefix }) => ({
    topics: startingWith(prefix, await admin.listTopics()),
  }),
  'describe-topic': async ({ topic }) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    return { partitions: topics[0].partitions.length }
  },
  'create-partitions': async ({ topic, total }) => {
    await admin.createPartitions({ topicPartitions: [{ topic, count: total }] })
  },
  'describe-config': async ({ topic, key }) => {
    const resources = [resource(topic, { configNames: [key] })]
    const found = await admin.describeConfigs({ includeSynonyms: false, resources })
    return { value: found.resources[0].configEntries[0].configValue }
  },
  'alter-config': async ({ topic, key, value }) => {
    const resources = [resource(topic, { configEntries: [{ name: key, value }] })]
    await admin.alterConfigs({ validateOnly: false, resources })
  },
  'delete-records': async ({ topic, partition, before }) => {
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(before) }] })
    const offsets = await admin.fetchTopicOffsets(topic)
    return { low: Number(offsets.find((each) => each.partition === partition).low) }
  },
  'list-groups': async ({ prefix }) => {
    const { groups } = await admin.listGroups()
    return {
      groups: startingWith(
        prefix,
        groups.map(({ groupId }) => groupId),
      ),
    }
  },
  'describe-group': async ({ group }) => {
    const { groups } = await admin.describeGroups([group])
    return { state: groups[0].state, members: groups[0].members.length }
  },
  'group-offsets': async ({ group, topic }) => {
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
    return { offsets: found.partitions.map(({ offset }) => Number(offset)) }
  },
  'set-group-offsets': async ({ group, topic, offsets }) => {
    const partitions = offsets.map((offset, partition) => ({ partition, offset: String(offset) }))
    await admin.setOffsets({ groupId: group, topic, partitions })
  },
  'delete-group': async ({ group }) => {
    await admin.deleteGroups([group])
  },
  'delete-topic': async ({ topic }) => {
    await admin.deleteTopics({ topics: [topic] })
  },
})

/** The error code that the broker gave, wherever in the chain of causes it is. */
function codeOf(error) {
  const causes = [error.cause, ...(error.errors ?? [])].filter((cause) => cause instanceof Error)
  return error.code ?? causes.map(codeOf).find((code) => code !== undefined)
}

async function admin(request) {
  const asked = client(request).admin({ retry: { retries: 1 } })
  await asked.connect()
  await runSteps(request, deeds(asked), codeOf)
  await asked.disconnect()
}

await main({ produce, consume, read, member, transact, fence, admin })
