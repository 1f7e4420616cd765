import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Config, ConfigSource } from '../../../src/common/config/config.ts'
import {
  atLeast,
  between,
  defineConfig,
  int,
  list,
  long,
  nonEmpty,
  oneOf,
  password,
  string,
} from '../../../src/common/config/config-definition.ts'

const HOUR_MS = 3_600_000

const PARENT = defineConfig({
  'p.hours': int({ default: 168, doc: '' }),
  'p.minutes': int({ default: null, doc: '' }),
  'p.ms': long({
    otherwise: [
      { key: 'p.minutes', times: 60_000 },
      { key: 'p.hours', times: HOUR_MS },
    ],
    update: 'cluster-wide',
    doc: 'How long.',
  }),
  secret: password({ default: null, doc: '' }),
  required: string({ valid: nonEmpty(), doc: '' }),
})

const CHILD = defineConfig(
  {
    ms: long({ default: 1, valid: atLeast(-1), brokerDefault: 'p.ms', doc: '' }),
    size: int({ default: 1000, valid: between(10, 2000), overriddenBy: 'internal.size', doc: '' }),
    'internal.size': int({ default: null, internal: true, doc: '' }),
    policy: list({ default: ['a'], valid: oneOf('a', 'b'), doc: '' }),
  },
  {
    update: 'cluster-wide',
    check(get) {
      if (get('policy').length > 1 && get('size') < 100) throw new Error('too small for two')
    },
  },
)

const { DYNAMIC_BROKER_CONFIG, STATIC_BROKER_CONFIG, TOPIC_CONFIG, DEFAULT_CONFIG } = ConfigSource

function parent(entries: Record<string, string> = {}) {
  const given = new Map(Object.entries({ required: 'r', ...entries }))
  return new Config(PARENT, [[STATIC_BROKER_CONFIG, given]])
}

function child(entries: Record<string, string> = {}, above = parent()) {
  return new Config(CHILD, [[TOPIC_CONFIG, new Map(Object.entries(entries))]], above)
}

test('a value comes from the key, then its synonyms in their units, then the default', () => {
  assert.equal(parent().get('p.ms'), 168 * HOUR_MS)
  assert.equal(parent({ 'p.hours': '2' }).get('p.ms'), 2 * HOUR_MS)
  assert.equal(parent({ 'p.hours': '2', 'p.minutes': '3' }).get('p.ms'), 180_000)
  assert.equal(parent({ 'p.minutes': '3', 'p.ms': '4' }).get('p.ms'), 4)
  assert.equal(parent({ 'p.hours': '-1' }).get('p.ms'), -1)
})

test('validators name the key, the value and what is allowed', () => {
  const message = (entries: Record<string, string>) => {
    try {
      return String(child(entries).get('size'))
    } catch (error) {
      return (error as Error).message
    }
  }
  assert.equal(
    message({ size: '9' }),
    'Invalid value 9 for configuration size: Value must be at least 10',
  )
  assert.equal(
    message({ size: '2001' }),
    'Invalid value 2001 for configuration size: Value must be no more than 2000',
  )
  assert.equal(
    message({ policy: 'a,c' }),
    'Invalid value c for configuration policy: String must be one of: a, b',
  )
  assert.equal(message({ 'internal.size': '3' }), '3')
  assert.equal(message({ policy: 'a,b', 'internal.size': '3' }), 'too small for two')
})

test('a key without a default must be given, and be as its validator says', () => {
  assert.throws(() => new Config(PARENT, []), {
    message: 'Missing required configuration "required" which has no default value.',
  })
  assert.throws(() => parent({ required: ' ' }), { message: /'required' must not be empty/ })
})

test('a definition with a wrong default or a dangling reference is refused', () => {
  assert.throws(() => defineConfig({ a: int({ default: 0, valid: atLeast(1), doc: '' }) }))
  assert.throws(() => defineConfig({ a: int({ otherwise: [{ key: 'b' }], doc: '' }) }))
  assert.throws(() => defineConfig({ a: int({ default: 1, overriddenBy: 'b', doc: '' }) }))
})

test('what a child does not set follows its parent, also later', () => {
  const above = parent()
  const following = child({}, above)
  const own = child({ ms: '5' }, above)
  assert.equal(following.get('ms'), 168 * HOUR_MS)
  const before = following.version
  above.replace(DYNAMIC_BROKER_CONFIG, new Map([['p.ms', '77']]))
  assert.equal(following.get('ms'), 77)
  assert.notEqual(following.version, before)
  assert.equal(own.get('ms'), 5)
  above.replace(DYNAMIC_BROKER_CONFIG, new Map())
  assert.equal(following.get('ms'), 168 * HOUR_MS)
})

test('a replacement tells what changed, or changes nothing', () => {
  const config = parent({ 'p.ms': '1' })
  const heard: string[][] = []
  const stop = config.onChange((changed) => heard.push([...changed]))
  config.replace(DYNAMIC_BROKER_CONFIG, new Map([['p.ms', '2']]))
  config.replace(DYNAMIC_BROKER_CONFIG, new Map([['p.ms', ' 2']]))
  assert.throws(() => config.replace(DYNAMIC_BROKER_CONFIG, new Map([['p.ms', 'x']])))
  assert.equal(config.get('p.ms'), 2)
  assert.equal(config.with(DYNAMIC_BROKER_CONFIG, new Map([['p.ms', '3']])).get('p.ms'), 3)
  assert.equal(config.get('p.ms'), 2)
  stop()
  config.replace(DYNAMIC_BROKER_CONFIG, new Map())
  assert.deepEqual(heard, [['p.ms']])
})

test('a description lists every way in which the value was given, the one in force first', () => {
  const above = parent({ 'p.ms': '3', 'p.hours': '5' })
  above.replace(DYNAMIC_BROKER_CONFIG, new Map([['p.ms', '4']]))
  const fromParent = [
    { name: 'p.ms', value: '4', source: DYNAMIC_BROKER_CONFIG },
    { name: 'p.ms', value: '3', source: STATIC_BROKER_CONFIG },
    { name: 'p.hours', value: '5', source: STATIC_BROKER_CONFIG },
    { name: 'p.hours', value: '168', source: DEFAULT_CONFIG },
  ]
  const [ms] = above.describe(['p.ms'])
  assert.deepEqual(ms, {
    name: 'p.ms',
    value: '4',
    source: DYNAMIC_BROKER_CONFIG,
    type: 'LONG',
    sensitive: false,
    readOnly: false,
    documentation: 'How long.',
    synonyms: fromParent,
  })
  const [own] = child({ ms: '9' }, above).describe(['ms'])
  assert.deepEqual(own?.synonyms, [{ name: 'ms', value: '9', source: TOPIC_CONFIG }, ...fromParent])
})

test('a value given only under another name is described as Kafka does: as the default', () => {
  const [ms] = parent({ 'p.hours': '5' }).describe(['p.ms'])
  assert.deepEqual([ms?.value, ms?.source, ms?.synonyms], [null, DEFAULT_CONFIG, []])
  const [below] = child({}, parent({ 'p.hours': '5' })).describe(['ms'])
  assert.deepEqual([below?.value, below?.source], [String(5 * HOUR_MS), DEFAULT_CONFIG])
})

test('secrets and unknown keys are listed without their values, internal keys not at all', () => {
  const config = parent({ secret: 'sesame', mystery: 'x', constructor: 'y' })
  assert.deepEqual(config.unknownKeys, ['mystery', 'constructor'])
  const described = config.describe()
  assert.doesNotMatch(JSON.stringify(described), /sesame|"[xy]"/)
  const sensitive = described.filter((key) => key.sensitive).map((key) => key.name)
  assert.deepEqual(sensitive, ['secret', 'mystery', 'constructor'])
  assert.deepEqual(
    child({ 'internal.size': '3' })
      .describe()
      .map((key) => key.name),
    ['ms', 'size', 'policy'],
  )
  assert.deepEqual(config.describe(['toString', 'absent']), [])
})
