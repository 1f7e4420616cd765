/** Against Apache Kafka's own tool, `test/interop/cli/topics.cases.ts` compares it line by line. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { kafkaTopics } from '../../src/tools/kafka-topics.ts'
import { TestBroker } from '../support/test-broker.ts'
import { runTool } from './support/run-tool.ts'

let broker: TestBroker

before(async () => {
  broker = await TestBroker.start()
})

after(() => broker[Symbol.asyncDispose]())

function topics(...args: string[]) {
  return runTool(kafkaTopics, ['--bootstrap-server', `127.0.0.1:${broker.port}`, ...args])
}

async function succeed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await topics(...args)
  assert.deepEqual([code, stderr], [0, ''], `${args}`)
  return stdout
}

test('a topic is created, described, extended and deleted', async () => {
  const create = ['--create', '--topic', 'orders', '--partitions', '2', '--config', 'flush.ms=9']
  assert.equal(await succeed(...create), 'Created topic orders.\n')
  assert.equal(await succeed(...create, '--if-not-exists'), '')
  assert.equal(await succeed('--alter', '--topic', 'ord.*', '--partitions', '3'), '')
  assert.match(
    await succeed('--describe', '--topic', 'orders'),
    new RegExp(
      '^Topic: orders\tTopicId: \\S{22}\tPartitionCount: 3\tReplicationFactor: 1\t' +
        'Configs: (.*,)?flush.ms=9(,.*)?\n' +
        [0, 1, 2]
          .map((partition) => {
            const replicas = 'Leader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: \n'
            return `\tTopic: orders\tPartition: ${partition}\t${replicas}`
          })
          .join('') +
        '$',
    ),
  )
  assert.equal(await succeed('--describe', '--unavailable-partitions'), '')
  assert.equal(await succeed('--list'), 'orders\n')
  assert.equal(await succeed('--delete', '--topic', 'orders'), '')
  assert.equal(await succeed('--list'), '\n')
})

test('what fails is said in Kafka’s words, on both outputs', async () => {
  await succeed('--create', '--topic', 'there')
  const again = await topics('--create', '--topic', 'there')
  assert.equal(again.code, 1)
  assert.equal(
    again.stdout,
    "Error while executing topic command : Topic 'there' already exists.\n",
  )
  const logged =
    /^\[\S+ \S+\] ERROR org\.apache\.kafka\.common\.errors\.TopicExistsException: Topic/
  assert.match(again.stderr, logged)
  const absent = await topics('--describe', '--topic', 'absent')
  assert.match(absent.stdout, /: Topic 'absent' does not exist as expected\n$/)
})

test('what is not supported yet is said plainly', async () => {
  const zookeeper = await runTool(kafkaTopics, ['--list', '--zookeeper', 'localhost:2181/kafka'])
  assert.deepEqual([zookeeper.code, zookeeper.stdout], [1, ''])
  assert.match(zookeeper.stderr, /^--zookeeper is not supported yet: .*--bootstrap-server/)
})
