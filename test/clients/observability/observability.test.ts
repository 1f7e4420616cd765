import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import {
  Admin,
  type ClientEvents,
  Consumer,
  Producer,
  prometheusText,
  ShareConsumer,
  traceparentOf,
} from '../../../src/clients/index.ts'
import { METRIC_GROUPS } from '../../../src/clients/observability/metric-names.ts'
import { SystemRandom } from '../../../src/common/random.ts'
import {
  formatTraceparent,
  nextStep,
  processTraceContext,
} from '../../../src/common/trace-context.ts'
import { TestBroker } from '../../support/test-broker.ts'

/** A running broker with topics `a` and `b`. */
async function withBroker(task: (bootstrapServers: string) => Promise<void>) {
  await using broker = await TestBroker.start({ 'group.initial.rebalance.delay.ms': '0' })
  const bootstrapServers = `127.0.0.1:${broker.port}`
  await using admin = new Admin({ bootstrapServers })
  await admin.createTopics([{ topic: 'a' }, { topic: 'b' }])
  await task(bootstrapServers)
}

/** What is published of clients of this id until the end of `task`. */
async function eventsOf(clientId: string, task: () => Promise<void>) {
  const channels = [
    ...['request', 'connection', 'retry', 'produce', 'fetch', 'rebalance', 'commit'],
  ].map((name) => `samsa:clients:${name}` as keyof ClientEvents)
  const events = new Map<string, Record<string, unknown>[]>(channels.map((name) => [name, []]))
  const listen = (message: unknown, channel: string | symbol) => {
    const event = message as Record<string, unknown>
    if (event.clientId === clientId) events.get(channel as string)!.push(event)
  }
  for (const name of channels) subscribe(name, listen)
  try {
    await task()
  } finally {
    for (const name of channels) unsubscribe(name, listen)
  }
  return <Name extends keyof ClientEvents>(name: Name) => {
    return events.get(name) as unknown as ClientEvents[Name][]
  }
}

/** Reads `count` records from the beginning of `a`. */
async function read(consumer: Consumer, count: number) {
  let seen = 0
  while (seen < count) seen += (await consumer.poll()).count
}

test('a producer and a consumer count what they do, and tell of it', async () => {
  await withBroker(async (bootstrapServers) => {
    const told = await eventsOf('both', async () => {
      await using producer = new Producer({ bootstrapServers, clientId: 'both' })
      await producer.sendBatch(['1', '2', '3'].map((value) => ({ topic: 'a', value })))
      const refused = producer.send({ topic: 'a', value: 'x'.repeat(2_000_000) })
      await assert.rejects(refused, { errorName: 'MESSAGE_TOO_LARGE' })
      const metrics = producer.metrics()
      const all = metrics['producer-metrics']
      assert.equal(all['record-send-total'], 3)
      assert.equal(all['record-error-total'], 1)
      assert.equal(all['record-send-rate'], 3 / 30)
      assert.equal(all['buffer-available-bytes'], all['buffer-total-bytes'])
      assert.equal(all['requests-in-flight'], 0)
      assert.ok(all['request-latency-max'] >= all['request-latency-avg'])
      assert.ok(all['batch-size-avg'] > 61)
      const bytes = metrics['producer-topic-metrics'].a?.['byte-total']
      assert.ok(bytes !== undefined && bytes >= all['batch-size-max'])

      const group = { groupId: 'g', autoOffsetReset: 'earliest' } as const
      await using consumer = new Consumer({ bootstrapServers, clientId: 'both', ...group })
      consumer.subscribe('a')
      await read(consumer, 3)
      await consumer.commitSync()
      const consumed = consumer.metrics()
      const fetched = consumed['consumer-fetch-manager-metrics']
      assert.equal(fetched['records-consumed-total'], 3)
      assert.equal(fetched['bytes-consumed-total'], bytes)
      assert.ok(fetched['fetch-total'] > 0)
      assert.equal(fetched['records-lag-max'], 0)
      const lag = consumed['consumer-fetch-manager-partition-metrics']['a-0']
      assert.deepEqual(lag, { 'records-lag': 0, 'records-lead': 3 })
      const coordinated = consumed['consumer-coordinator-metrics']
      assert.equal(coordinated['assigned-partitions'], 1)
      assert.equal(coordinated['rebalance-total'], 1)
      assert.equal(coordinated['commit-total'], 1)
      assert.equal(consumed['consumer-metrics']['failed-request-total'], 0)
    })
    const [batch] = told('samsa:clients:produce')
    assert.deepEqual(
      [batch?.topic, batch?.baseOffset, batch?.attempts, batch?.error, batch?.willRetry],
      ['a', 0, 1, undefined, false],
    )
    const sent = told('samsa:clients:produce').reduce((sum, { records }) => sum + records, 0)
    assert.equal(sent, 3)
    const [commit] = told('samsa:clients:commit')
    assert.deepEqual([commit?.groupId, commit?.count, commit?.error], ['g', 1, undefined])
    assert.deepEqual(
      told('samsa:clients:rebalance').map(({ kind, partitions }) => [kind, partitions]),
      [
        ['assigned', [{ topic: 'a', partition: 0 }]],
        ['revoked', [{ topic: 'a', partition: 0 }]],
      ],
    )
    assert.ok(told('samsa:clients:fetch').some(({ bytes }) => bytes > 0))
    const connections = told('samsa:clients:connection')
    const ofState = (state: string) => connections.filter((event) => event.state === state).length
    assert.ok(ofState('opened') >= 3)
    assert.equal(ofState('opened'), ofState('closed'))
    assert.ok(told('samsa:clients:request').some(({ api }) => api === 'Produce'))
  })
})

test('what nobody answers is counted, and not in flight for ever', async () => {
  await withBroker(async (bootstrapServers) => {
    const settings = { acks: '0', enableIdempotence: false, batchSize: 100 } as const
    await using producer = new Producer({ bootstrapServers, ...settings })
    for (let sent = 0; sent < 20; sent++) producer.post({ topic: 'a', value: 'x'.repeat(50) })
    await producer.flush()
    const metrics = producer.metrics()['producer-metrics']
    assert.equal(metrics['record-send-total'], 20)
    assert.equal(metrics['requests-in-flight'], 0)
    assert.ok(metrics['records-per-request-avg'] >= 1)
  })
})

test('a broker that cannot be reached shows in events and metrics', async () => {
  const told = await eventsOf('lost', async () => {
    await using admin = new Admin({ bootstrapServers: '127.0.0.1:1', clientId: 'lost' })
    await assert.rejects(admin.listTopics({ timeoutMs: 300 }), { name: 'TimeoutError' })
    assert.ok(admin.metrics()['admin-client-metrics']['retry-total'] > 0)
    assert.equal(admin.metrics()['admin-client-metrics']['connection-count'], 0)
  })
  assert.equal(told('samsa:clients:connection')[0]?.state, 'failed')
  assert.equal(told('samsa:clients:retry')[0]?.error.errorName, 'NETWORK_EXCEPTION')
})

test('metrics of all clients are told to Prometheus, each introduced once', async () => {
  await withBroker(async (bootstrapServers) => {
    const common = { bootstrapServers, groupId: 'g' }
    await using admin = new Admin({ bootstrapServers, clientId: 'the "one"' })
    await using first = new Producer({ bootstrapServers, clientId: 'p1' })
    await using second = new Producer({ bootstrapServers, clientId: 'p2' })
    await using consumer = new Consumer({ ...common, clientId: 'c' })
    await using share = new ShareConsumer({ ...common, groupId: 's', clientId: 's' })
    await first.send({ topic: 'a', value: '1' })
    consumer.assign([{ topic: 'a', partition: 0 }])
    const clients = [admin, first, second, consumer, share]
    const text = prometheusText(clients)
    const names = text.match(/^# HELP \S+/gm)!
    assert.equal(new Set(names).size, names.length)
    const lines = text.split('\n')
    const sent = 'kafka_producer_metrics_record_send_total'
    const at = lines.indexOf(`# TYPE ${sent} counter`)
    assert.deepEqual(lines.slice(at + 1, at + 3), [
      `${sent}{client_id="p1"} 1`,
      `${sent}{client_id="p2"} 0`,
    ])
    assert.ok(
      lines.includes('kafka_admin_client_metrics_connection_count{client_id="the \\"one\\""} 0'),
    )
    const lag = 'kafka_consumer_fetch_manager_metrics_records_lag'
    assert.ok(lines.includes(`${lag}{client_id="c",topic="a",partition="0"} NaN`))
    const sample = /^[a-z_]+\{client_id="(\\.|[^"\\])*"(,[a-z]+="(\\.|[^"\\])*")*\} \S+$/
    for (const line of lines.filter((each) => each !== '' && !each.startsWith('#'))) {
      assert.match(line, sample)
    }
    // Each group has just the metrics that its table names.
    for (const metrics of clients.map((client) => client.metrics())) {
      for (const [group, content] of Object.entries(metrics)) {
        const { tables, label } = METRIC_GROUPS[group]!
        const expected = tables.flatMap((table) => Object.keys(table)).sort()
        const parts = label === undefined ? [content] : Object.values(content)
        for (const part of parts) assert.deepEqual(Object.keys(part as object).sort(), expected)
      }
    }
  })
})

test('a trace goes through a record, its callback, and what the callback sends', async () => {
  await withBroker(async (bootstrapServers) => {
    await using producer = new Producer({ bootstrapServers })
    const root = nextStep(new SystemRandom(), undefined)
    await producer.send({ topic: 'a', value: 'untraced' })
    await processTraceContext.run(root, () => producer.send({ topic: 'a', value: 'traced' }))
    const given = { traceparent: formatTraceparent(nextStep(new SystemRandom(), undefined)) }
    await processTraceContext.run(root, async () => {
      await producer.send({ topic: 'a', value: 'marked', headers: given })
    })
    const group = { groupId: 'g', autoOffsetReset: 'earliest' } as const
    const controller = new AbortController()
    await using consumer = new Consumer({ bootstrapServers, ...group })
    consumer.subscribe('a')
    await consumer.run({
      signal: controller.signal,
      async eachRecord(record) {
        const value = record.valueBytes!.toString()
        await producer.send({ topic: 'b', value })
        if (value === 'marked') controller.abort()
      },
    })
    await using reader = new Consumer({ bootstrapServers })
    const steps = async (topic: string) => {
      reader.assign([{ topic, partition: 0 }])
      reader.seekToBeginning()
      const records = []
      while (records.length < 3) records.push(...(await reader.poll()))
      return records.map((record) => traceparentOf(record))
    }
    const [untraced, traced, marked] = await steps('a')
    assert.equal(untraced, undefined)
    assert.equal(traced?.traceId, root.traceId)
    assert.notEqual(traced?.spanId, root.spanId)
    assert.equal(formatTraceparent(marked!), given.traceparent)
    const [sentUntraced, sentTraced, sentMarked] = await steps('b')
    assert.equal(sentUntraced, undefined)
    assert.equal(sentTraced?.traceId, root.traceId)
    assert.notEqual(sentTraced?.spanId, traced?.spanId)
    assert.equal(sentMarked?.traceId, marked?.traceId)
  })
})
