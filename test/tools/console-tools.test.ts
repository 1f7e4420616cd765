/** The tools that produce and consume, against a broker in this process. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Admin } from '../../src/clients/admin/admin.ts'
import { kafkaConsoleConsumer } from '../../src/tools/kafka-console-consumer.ts'
import { kafkaConsoleProducer } from '../../src/tools/kafka-console-producer.ts'
import { kafkaConsoleShareConsumer } from '../../src/tools/kafka-console-share-consumer.ts'
import { kafkaConsumerPerfTest } from '../../src/tools/kafka-consumer-perf-test.ts'
import { kafkaProducerPerfTest } from '../../src/tools/kafka-producer-perf-test.ts'
import { kafkaVerifiableConsumer } from '../../src/tools/kafka-verifiable-consumer.ts'
import { kafkaVerifiableProducer } from '../../src/tools/kafka-verifiable-producer.ts'
import { TestBroker } from '../support/test-broker.ts'
import { runTool } from './support/run-tool.ts'

async function withBroker(
  run: (server: readonly string[], admin: Admin) => Promise<void>,
): Promise<void> {
  await using broker = await TestBroker.start({ 'group.initial.rebalance.delay.ms': '0' })
  const bootstrapServers = `127.0.0.1:${broker.port}`
  await using admin = new Admin({ bootstrapServers })
  await admin.createTopics([{ topic: 't', partitions: 1 }])
  await run(['--bootstrap-server', bootstrapServers], admin)
}

test('what is not printed is not consumed, and without a record in time the tool ends', () =>
  withBroker(async (server) => {
    const all = [...server, '--topic', 't']
    await runTool(kafkaConsoleProducer, all, { stdin: '1\n2\n3\n' })
    const asGroup = [...all, '--group', 'g', '--from-beginning']
    const first = await runTool(kafkaConsoleConsumer, [...asGroup, '--max-messages', '1'])
    assert.deepEqual(first, {
      code: 0,
      stdout: '1\n',
      stderr: 'Processed a total of 1 messages\n',
    })
    const rest = await runTool(kafkaConsoleConsumer, [...asGroup, '--max-messages', '2'])
    assert.equal(rest.stdout, '2\n3\n')
    const last = await runTool(kafkaConsoleConsumer, [...asGroup, '--timeout-ms', '200'])
    assert.equal(last.stdout, '')
    const [logged, thrown, total] = last.stderr.split('\n')
    assert.match(logged!, /ERROR Error processing message, terminating consumer process: {2}\(org/)
    assert.equal(thrown, 'org.apache.kafka.common.errors.TimeoutException')
    assert.equal(total, 'Processed a total of 0 messages')
  }))

test('a line that cannot be read ends the producer, after those before it have been sent', () =>
  withBroker(async (server) => {
    const keyed = [...server, '--topic', 't', '--reader-property', 'parse.key=true']
    const { code, stderr } = await runTool(kafkaConsoleProducer, keyed, { stdin: 'k\tv\nx\ny\tz' })
    const message = "No key separator found on line number 2: 'x'"
    assert.equal(stderr, `org.apache.kafka.common.KafkaException: ${message}\n`)
    assert.equal(code, 1)
    const read = (offset: string, ...until: string[]) =>
      runTool(kafkaConsoleConsumer, [
        ...[...server, '--topic', 't', '--partition', '0', '--offset', offset, ...until],
        ...['--formatter-property', 'print.key=true'],
      ])
    assert.equal((await read('0', '--max-messages', '1')).stdout, 'k\tv\n')
    assert.equal((await read('1', '--timeout-ms', '100')).stdout, '')
  }))

test('a consumer that is told to stop says what it has printed', () =>
  withBroker(async (server) => {
    const stopped = new AbortController()
    setTimeout(() => stopped.abort(), 100)
    const result = await runTool(kafkaConsoleConsumer, [...server, '--topic', 't'], {
      signal: stopped.signal,
    })
    assert.deepEqual(result, {
      code: 130,
      stdout: '',
      stderr: 'Processed a total of 0 messages\n',
    })
  }))

test('a share consumer gives back what it did not print', () =>
  withBroker(async (server, admin) => {
    const all = [...server, '--topic', 't']
    const set = { 'share.auto.offset.reset': 'earliest' }
    await admin.alterConfigs([{ type: 'group', name: 'console-share-consumer', set }])
    await runTool(kafkaConsoleProducer, all, { stdin: '1\n2\n3\n' })
    const one = [...all, '--max-messages', '1', '--formatter-property', 'print.delivery=true']
    const run = async (...more: string[]) =>
      (await runTool(kafkaConsoleShareConsumer, [...one, ...more])).stdout
    assert.equal(await run('--release'), 'Delivery:1\t1\n')
    assert.equal(await run('--reject'), 'Delivery:2\t1\n')
    assert.equal(await run(), 'Delivery:3\t2\n')
  }))

test('the performance tests count what they send and read', () =>
  withBroker(async (server) => {
    const all = [...server, '--topic', 't', '--num-records', '1000']
    const sent = await runTool(kafkaProducerPerfTest, [
      ...[...all, '--throughput', '-1', '--record-size', '1000', '--warmup-records', '400'],
      ...['--transaction-duration-ms', '1'],
    ])
    assert.match(sent.stdout, /^1000 records sent, .* ms 99\.9th\.$/m)
    assert.match(sent.stdout, /^600 steady state records sent, /m)
    const read = await runTool(kafkaConsumerPerfTest, all)
    assert.match(read.stdout.split('\n')[1]!, /^\S+ \S+, \S+ \S+, 0\.9537, [\d.]+, 1000, /)
    assert.deepEqual([sent.code, read.code], [0, 0])
  }))

test('the verifiable tools tell the same story', () =>
  withBroker(async (server) => {
    const all = [...server, '--topic', 't', '--max-messages', '5']
    const events = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    const sent = events((await runTool(kafkaVerifiableProducer, all)).stdout)
    const offsets = sent.filter(({ name }) => name === 'producer_send_success')
    assert.deepEqual(
      offsets.map(({ value, offset }) => [value, offset]),
      [...['0', '1', '2', '3', '4'].map((value, offset) => [value, offset])],
    )
    const asGroup = [...all, '--group-id', 'g', '--verbose']
    const read = events((await runTool(kafkaVerifiableConsumer, asGroup)).stdout)
    assert.deepEqual(
      read.filter(({ name }) => name === 'record_data').map(({ value }) => value),
      ['0', '1', '2', '3', '4'],
    )
    const committed = read.find(({ name }) => name === 'offsets_committed')
    assert.deepEqual(committed.offsets, [{ topic: 't', partition: 0, offset: 5 }])
    assert.equal(committed.success, true)
  }))
