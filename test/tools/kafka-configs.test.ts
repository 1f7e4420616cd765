/** `test/interop/cli/configs.cases.ts` compares it line by line with Apache Kafka's own tool. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { readChange } from '../../src/tools/configs/changes.ts'
import { CONFIGS_OPTIONS } from '../../src/tools/configs/options.ts'
import { kafkaConfigs } from '../../src/tools/kafka-configs.ts'
import { createTopic } from '../support/requests.ts'
import { TestBroker } from '../support/test-broker.ts'
import { runTool } from './support/run-tool.ts'

let broker: TestBroker

before(async () => {
  broker = await TestBroker.start()
  await createTopic(await broker.connect(), 't')
})

after(() => broker[Symbol.asyncDispose]())

async function configs(...args: string[]): Promise<string> {
  const server = `127.0.0.1:${broker.port}`
  const { code, stdout, stderr } = await runTool(kafkaConfigs, [
    ...['--bootstrap-server', server],
    ...args,
  ])
  return code === 0 ? stdout : `${code} ${stderr}`
}

test('settings of a topic are set, shown and taken back', async () => {
  assert.equal(
    await configs('--alter', '--topic', 't', '--add-config', 'cleanup.policy=[compact,delete]'),
    'Completed updating config for topic t.\n',
  )
  assert.equal(
    await configs('--describe', '--entity-type', 'topics', '--entity-name', 't'),
    'Dynamic configs for topic t are:\n' +
      '  cleanup.policy=compact,delete sensitive=false synonyms={' +
      'DYNAMIC_TOPIC_CONFIG:cleanup.policy=compact,delete, ' +
      'DEFAULT_CONFIG:log.cleanup.policy=delete}\n',
  )
  assert.equal(
    await configs('--alter', '--topic', 't', '--delete-config', 'cleanup.policy,flush.ms'),
    '1 Invalid config(s): flush.ms\n',
  )
  await configs('--alter', '--topic', 't', '--delete-config', 'cleanup.policy')
  assert.equal(await configs('--describe', '--topic', 't'), 'Dynamic configs for topic t are:\n')
})

test('quotas of a user and one of their clients', async () => {
  const whom = ['--user', 'u', '--client', 'c']
  await configs('--alter', ...whom, '--add-config', 'producer_byte_rate=1e6,request_percentage=7')
  assert.equal(
    await configs('--describe', ...whom),
    "Quota configs for user-principal 'u', client-id 'c' are " +
      'producer_byte_rate=1000000.0, request_percentage=7.0\n',
  )
})

test('a value in brackets may have commas and equals signs', () => {
  const read = (text: string) => [...readChange(CONFIGS_OPTIONS.parse(['--add-config', text])).add]
  assert.deepEqual(read('a=1,b=[x,y=z],c='), [
    ['a', '1'],
    ['b', 'x,y=z'],
    ['c', ''],
  ])
  assert.deepEqual(read(' a = [1] '), [['a', '1']])
  for (const wrong of ['a', 'a=1,b', 'a=b=c', 'ä=1']) assert.throws(() => read(wrong), wrong)
})
