import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LineReader, linesOf } from '../../src/tools/console-producer/line-reader.ts'

const reader = (properties: Record<string, string>) =>
  new LineReader(new Map(Object.entries(properties)))

async function collect(chunks: readonly Uint8Array[]): Promise<string[]> {
  async function* stream() {
    yield* chunks
  }
  const lines: string[] = []
  for await (const some of linesOf(stream())) lines.push(...some)
  return lines
}

test('lines are the same wherever the stream is cut', async () => {
  const part = fc.constantFrom('a', 'ü', '日', '😀', '\n', '\r\n', '\r', '\ufeff', '')
  await fc.assert(
    fc.asyncProperty(fc.array(part), fc.array(fc.nat({ max: 40 })), async (parts, cuts) => {
      const bytes = Buffer.from(parts.join(''))
      const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length]
      places.sort((one, other) => one - other)
      const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index]!, end))
      const expected = parts.join('').split(/\r\n|\r|\n/)
      if (expected.at(-1) === '') expected.pop()
      assert.deepEqual(await collect(chunks), expected)
    }),
  )
})

test('bytes that are no UTF-8 become replacement characters', async () => {
  assert.deepEqual(await collect([Buffer.from([0x61, 0xff, 0x0a, 0xe3])]), ['a\ufffd', '\ufffd'])
})

test('headers, key and value are taken apart, and what equals the marker is null', () => {
  const all = reader({
    'parse.headers': 'true',
    'parse.key': ' TRUE ',
    'headers.separator': '[,;]',
    'null.marker': 'N',
  })
  assert.deepEqual(all.read('a:1,b:N;c:\tk\tv\tw'), {
    headers: [
      { key: 'a', value: '1' },
      { key: 'b', value: null },
      { key: 'c', value: '' },
    ],
    key: 'k',
    value: 'v\tw',
  })
  assert.deepEqual(all.read('N\tN\tN'), { headers: [], key: null, value: null })
  assert.deepEqual(all.read(',\t\t'), { headers: [], key: '', value: '' })
})

test('a separator that is not there is an error which names the line', () => {
  const keyed = reader({ 'parse.key': 'true' })
  keyed.read('k\tv')
  assert.throws(() => keyed.read('v'), {
    message: "No key separator found on line number 2: 'v'",
  })
  const lenient = reader({ 'parse.key': 'true', 'parse.headers': 'true', 'ignore.error': 'true' })
  assert.deepEqual(lenient.read('v'), { headers: [], key: null, value: 'v' })
  assert.deepEqual(lenient.read('h\tv'), {
    headers: [{ key: 'h', value: null }],
    key: null,
    value: 'v',
  })
})
