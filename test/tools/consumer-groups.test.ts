import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { Admin } from '../../src/clients/admin/admin.ts'
import { Producer } from '../../src/clients/producer/producer.ts'
import { parseDateTime, parseDuration } from '../../src/tools/groups/java-time.ts'
import { formatOffsetCsv, parseOffsetCsv } from '../../src/tools/groups/offset-csv.ts'
import { kafkaConsumerGroups } from '../../src/tools/kafka-consumer-groups.ts'
import { TestBroker } from '../support/test-broker.ts'
import { runTool } from './support/run-tool.ts'

test('times and durations are those of Java', () => {
  const at = Date.UTC(2026, 1, 3, 4, 5, 6, 7)
  assert.equal(parseDateTime('2026-02-03T04:05:06.007'), at)
  assert.equal(parseDateTime('2026-02-03T04:05:06.007Z'), at)
  assert.equal(parseDateTime('2026-02-03T04:05:06.007+02:00'), at - 7_200_000)
  assert.equal(parseDateTime('2026-02-03T04:05:06.007-0130'), at + 5_400_000)
  for (const text of ['2026-02-03', '2026-02-30T00:00:00.000', '2026-02-03T24:00:00.000', 'T']) {
    assert.throws(() => parseDateTime(text), /ParseException/, text)
  }
  assert.equal(parseDuration('P1DT2H3M4.5S'), 86_400_000 + 7_200_000 + 180_000 + 4500)
  assert.equal(parseDuration('-PT1M'), -60_000)
  assert.equal(parseDuration('pt-6h+3m'), -6 * 3_600_000 + 180_000)
  for (const text of ['', 'P', 'PT', 'P1DT', '1D', 'PT1', 'P1H']) {
    assert.throws(() => parseDuration(text), /cannot be parsed/, text)
  }
})

test('what is exported can be read back, for one group and for several', () => {
  const name = fc.stringMatching(/^[\w.",-][ \w.",-]{0,40}$/)
  const offset = fc.record(
    { topic: name, partition: fc.nat(9), offset: fc.nat() },
    { noNullPrototype: true },
  )
  const byPartition = {
    selector: (one: { topic: string; partition: number }) => `${one.topic} ${one.partition}`,
  }
  const offsets = fc.uniqueArray(offset, { minLength: 1, maxLength: 5, ...byPartition })
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 3 }), offsets, (groups, all) => {
      const plan = new Map(groups.map((group) => [group, all]))
      assert.deepEqual(parseOffsetCsv(formatOffsetCsv(plan, true), undefined), plan)
      const [only] = groups
      const single = new Map([[only!, all]])
      assert.deepEqual(parseOffsetCsv(formatOffsetCsv(single, false), only), single)
    }),
  )
  assert.throws(() => parseOffsetCsv('t,0', 'g'), /is not topic,partition,offset/)
  assert.throws(() => parseOffsetCsv('t,x,1', 'g'), /is not topic,partition,offset/)
})

test('offsets are exported, reset from the file, and only then moved', async (t) => {
  await using broker = await TestBroker.start()
  const bootstrapServers = `127.0.0.1:${broker.port}`
  await using admin = new Admin({ bootstrapServers })
  await admin.createTopics([{ topic: 'orders', partitions: 2 }])
  {
    await using producer = new Producer({ bootstrapServers })
    for (let i = 0; i < 5; i++) await producer.send({ topic: 'orders', partition: 0, value: 'v' })
  }
  await admin.alterGroupOffsets('billing', [{ topic: 'orders', partition: 0, offset: 2 }])
  const offsetsOf = async () =>
    (await admin.listGroupOffsets('billing')).map(({ partition, offset }) => [partition, offset])
  const reset = (...args: string[]) =>
    runTool(kafkaConsumerGroups, [
      ...['--bootstrap-server', bootstrapServers, '--reset-offsets', '--group', 'billing'],
      ...args,
    ])

  const exported = await reset('--topic', 'orders', '--to-latest', '--export', '--dry-run')
  assert.deepEqual(exported, { code: 0, stdout: 'orders,0,5\norders,1,0\n\n', stderr: '' })
  assert.deepEqual(await offsetsOf(), [[0, 2]])

  const path = join(broker.folder, 'plan.csv')
  writeFileSync(path, exported.stdout.replace('orders,0,5', 'orders,0,99'))
  const executed = await reset('--from-file', path, '--execute')
  assert.match(executed.stdout, /^\nGROUP +TOPIC +PARTITION +NEW-OFFSET\nbilling +orders +0 +5\n/)
  assert.match(executed.stderr, /New offset \(99\) is higher than latest offset .* orders-0\. /)
  assert.deepEqual(await offsetsOf(), [
    [0, 5],
    [1, 0],
  ])
  await t.test('without a broker the tool says so', async () => {
    const args = ['--bootstrap-server', '127.0.0.1:1', '--list', '--timeout', '300']
    const { code, stdout } = await runTool(kafkaConsumerGroups, args)
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^\nError: Executing consumer group command failed .*brokers to send ListGroups\n$/,
    )
  })
})
