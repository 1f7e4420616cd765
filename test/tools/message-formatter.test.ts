import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deserializerOf } from '../../src/tools/console-consumer/deserializers.ts'
import { createFormatter } from '../../src/tools/console-consumer/formatters.ts'
import {
  type FormattableRecord,
  FormatterOutput,
} from '../../src/tools/console-consumer/message-formatter.ts'
import type { ToolIo } from '../../src/tools/support/tool.ts'

const PACKAGE = 'org.apache.kafka.common.serialization.'
const DEFAULT = 'org.apache.kafka.tools.consumer.DefaultMessageFormatter'
const io = {} as ToolIo

const record: FormattableRecord = {
  ...{ topic: 't', partition: 1, offset: 2, timestamp: 3, timestampType: 'LogAppendTime' },
  headers: [
    { key: 'a', value: Buffer.from('1') },
    { key: 'b', value: null },
  ],
  keyBytes: null,
  valueBytes: Buffer.from([0xff, 0x41]),
  deliveryCount: 4,
}

function format(properties: Record<string, string>): Buffer {
  const out = new FormatterOutput()
  createFormatter(DEFAULT, new Map(Object.entries(properties)), io)(record, out)
  return out.take()
}

test('bytes come out as they are, and what is asked for in its order', () => {
  assert.deepEqual(format({}), Buffer.from([0xff, 0x41, 0x0a]))
  const parts = ['value', 'key', 'headers', 'delivery', 'offset', 'partition', 'timestamp']
  const all = Object.fromEntries(parts.map((part) => [`print.${part}`, ' TRUE ']))
  const expected = 'LogAppendTime:3|Partition:1|Offset:2|Delivery:4|a:1;b:-|-|'
  assert.deepEqual(
    format({
      ...{ ...all, 'key.separator': '|', 'line.separator': '$' },
      ...{ 'headers.separator': ';', 'null.literal': '-' },
    }),
    Buffer.concat([Buffer.from(expected), Buffer.from([0xff, 0x41]), Buffer.from('$')]),
  )
})

test('nothing is written where nothing is asked for', () => {
  assert.equal(format({ 'print.value': 'false' }).length, 0)
  assert.equal(format({ 'print.value': 'yes', 'print.key': 'true' }).toString(), 'null\n')
})

test('what stands for null is deserialized like a value', () => {
  const properties = { 'print.key': 'true', 'print.value': 'false' }
  const asInteger = { ...properties, 'key.deserializer': `${PACKAGE}IntegerDeserializer` }
  assert.equal(format(asInteger).toString(), `${0x6e756c6c}\n`)
  const asLong = { ...properties, 'key.deserializer': `${PACKAGE}LongDeserializer` }
  assert.throws(() => format(asLong), {
    message: 'Size of data received by LongDeserializer is not 8',
  })
})

test('deserializers give the text that Java has for their data', () => {
  const text = (name: string, hex: string) =>
    deserializerOf(PACKAGE + name)!(Buffer.from(hex, 'hex')).toString()
  assert.equal(text('LongDeserializer', '8000000000000000'), '-9223372036854775808')
  assert.equal(text('ShortDeserializer', 'ffff'), '-1')
  assert.equal(text('FloatDeserializer', '3dcccccd'), '0.1')
  assert.equal(text('FloatDeserializer', '4b189680'), '1.0E7')
  assert.equal(text('DoubleDeserializer', '3ff0000000000000'), '1.0')
  assert.equal(text('BooleanDeserializer', '01'), 'true')
  assert.equal(text('BytesDeserializer', '415c0aff'), 'A\\x5C\\x0A\\xFF')
  const uuid = Buffer.from('1-2-3-4-AbC').toString('hex')
  assert.equal(text('UUIDDeserializer', uuid), '00000001-0002-0003-0004-000000000abc')
  assert.throws(() => text('BooleanDeserializer', 'fe'), {
    message: 'Unexpected byte received by BooleanDeserializer: -2',
  })
  assert.equal(deserializerOf('constructor'), undefined)
  assert.equal(deserializerOf(`${PACKAGE}constructor`), undefined)
})

test('a class of long ago is known, and another is not', () => {
  createFormatter(
    'kafka.coordinator.group.GroupMetadataManager$OffsetsMessageFormatter',
    new Map(),
    io,
  )
  assert.throws(() => createFormatter('kafka.tools.MessageFormatter', new Map(), io), {
    message: 'kafka.tools.MessageFormatter',
  })
})
