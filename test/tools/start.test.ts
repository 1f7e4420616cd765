import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ApiVersions } from '../../src/protocol/messages/api-versions.ts'
import { parseServerArguments } from '../../src/tools/server-arguments.ts'
import { batchOf, createTopic, produce, readAll } from '../support/requests.ts'
import { TestClient } from '../support/test-client.ts'

const main = join(import.meta.dirname, '../../src/tools/main.ts')
const run = `import { main } from ${JSON.stringify(main)}; await main(process.argv.slice(1))`

let folder: string

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'samsa-start-'))
})

after(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** The program with these arguments, running from source. */
function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '-e', run, '--', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Runs it to its end, which must come by itself. */
function fail(args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', run, '--', ...args], {
    encoding: 'utf8',
    timeout: 30_000,
  })
  return child
}

/** Waits for a line of the output that matches. */
function line(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = ''
    const look = (chunk: Buffer) => {
      text += chunk
      const match = pattern.exec(text)
      if (match !== null) resolve(match)
    }
    child.stdout!.on('data', look)
    child.stderr!.on('data', look)
    child.on('exit', (code) => reject(new Error(`ended with ${code}: ${text}`)))
  })
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on('exit', resolve))
}

function settings(data: string, port = 0): string[] {
  const listeners = `listeners=PLAINTEXT://127.0.0.1:${port}`
  return ['--override', listeners, '--override', `log.dirs=${join(folder, data)}`]
}

test('samsa start says where it is, what to try, and stops in order on SIGTERM', async () => {
  const child = start(['start', ...settings('a'), '--override', 'no.such.key=1'])
  const [, port] = await line(child, /address {2}127\.0\.0\.1:(\d+)[\s\S]*stop/)
  const client = await TestClient.connect(Number(port))
  await createTopic(client, 't')
  await produce(client, 't', batchOf(['kept']))
  client.close()
  const exit = ended(child)
  child.kill('SIGTERM')
  assert.equal(await exit, 0)
  assert.ok(existsSync(join(folder, 'a', '.kafka_cleanshutdown')))
  const again = start(['start', ...settings('a')])
  const [, newPort] = await line(again, /address {2}127\.0\.0\.1:(\d+)[\s\S]*stop/)
  const reader = await TestClient.connect(Number(newPort))
  assert.deepEqual(await readAll(reader, 't'), ['kept'])
  reader.close()
  const end = ended(again)
  again.kill('SIGINT')
  assert.equal(await end, 0)
})

test('the file, the environment and --override are read in this order of rank', async () => {
  const file = join(folder, 'server.properties')
  writeFileSync(
    file,
    [
      'node.id=7',
      'num.partitions=1',
      'message.max.bytes=1000',
      `log.dirs=${join(folder, 'b')}`,
      'listeners=PLAINTEXT://127.0.0.1:1',
    ].join('\n'),
  )
  const args = ['kafka-server-start', file, '--override', 'listeners=PLAINTEXT://127.0.0.1:0']
  const child = start([...args, '--override', 'num.partitions=3'], {
    KAFKA_NUM_PARTITIONS: '2',
    KAFKA_MESSAGE_MAX_BYTES: '2000000',
  })
  const [, port] = await line(
    child,
    /listening on 127\.0\.0\.1:(\d+)[\s\S]*KafkaServer id=7\] started/,
  )
  const client = await TestClient.connect(Number(port))
  const name = 't'
  await createTopic(client, name, { partitions: -1 })
  const large = await produce(client, name, batchOf(['x'.repeat(5000)]), { partition: 2 })
  assert.equal(large.errorCode, 0)
  client.close()
  const exit = ended(child)
  child.kill('SIGTERM')
  await exit
})

test('what keeps a broker from starting is said in one line that names it', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as net.AddressInfo
  writeFileSync(join(folder, 'file'), '')
  writeFileSync(join(folder, 'bad.properties'), 'num.partitions=many\n')
  const running = start(['start', ...settings('locked')])
  await line(running, /is ready/)
  const cases: [string[], RegExp][] = [
    [['start', ...settings('c', port)], new RegExp(`127\\.0\\.0\\.1:${port}.*taken by another`)],
    [['start', ...settings('locked')], /in use by another broker.*locked\/\.lock/],
    [['start', ...settings('file')], /\/file is not a folder/],
    [['start', join(folder, 'missing.properties')], /missing\.properties: there is no such file/],
    [['start', join(folder, 'bad.properties')], /Invalid value many for configuration num\.part/],
    [['start', '--override', 'listeners=nonsense'], /nonsense/],
    [['start', ...settings('locked/../d'), '--override', 'node.id=-7'], /node\.id.*at least -1/],
  ]
  for (const [args, expected] of cases) {
    const { status, stderr } = fail(args)
    assert.equal(status, 1, `${args}: ${stderr}`)
    assert.match(stderr, expected)
    assert.equal(stderr.trim().split('\n').length, 1, stderr)
  }
  const exit = ended(running)
  running.kill('SIGTERM')
  await exit
  taken.close()
})

test('a folder of another broker is refused', async () => {
  const first = start(['start', ...settings('e'), '--override', 'node.id=1'])
  await line(first, /is ready/)
  const exit = ended(first)
  first.kill('SIGTERM')
  await exit
  const { status, stderr } = fail(['start', ...settings('e'), '--override', 'node.id=2'])
  assert.equal(status, 1)
  assert.match(stderr, /^samsa: .*belongs to the broker 1.*node\.id.*\n$/)
})

test('wrong arguments get the usage', () => {
  const usage = fail(['kafka-server-start'])
  assert.equal(usage.status, 1)
  assert.match(usage.stderr, /^USAGE: kafka-server-start\.sh \[-daemon\] server\.properties/)
  const unknown = fail(['no-such-command'])
  assert.equal(unknown.status, 1)
  assert.match(unknown.stderr, /there is no command 'no-such-command'/)
  assert.match(fail(['--help']).stdout, /kafka-server-start/)
  assert.match(fail(['--version']).stdout, /^\d+\.\d+\.\d+\n$/)
})

test('arguments are read as Kafka’s script reads them', () => {
  assert.deepEqual(parseServerArguments(['-daemon', 'f', '--override', 'a=b=c', '--override=d=']), {
    daemon: true,
    propertiesFile: 'f',
    overrides: new Map([
      ['a', 'b=c'],
      ['d', ''],
    ]),
  })
  for (const wrong of [['--override'], ['--override', 'x'], ['f', 'g'], ['--what']]) {
    assert.equal(parseServerArguments(wrong), undefined)
  }
})

test('an old Node is told what it is missing', () => {
  const launcher = join(import.meta.dirname, '../../bin/samsa.mjs')
  const older = "Object.defineProperty(process.versions, 'node', { value: '20.1.0' })"
  const pretend = `data:text/javascript,${encodeURIComponent(older)}`
  const { status, stderr } = spawnSync(process.execPath, ['--import', pretend, launcher], {
    encoding: 'utf8',
  })
  assert.equal(status, 1)
  assert.match(stderr, /^Samsa needs Node\.js 24 or newer/)
})

test('the launcher serves', async () => {
  const launcher = join(import.meta.dirname, '../../bin/samsa.mjs')
  const child = spawn(process.execPath, [launcher, 'start', ...settings('f')])
  const [, port] = await line(child, /address {2}127\.0\.0\.1:(\d+)/)
  const client = await TestClient.connect(Number(port))
  assert.equal((await client.send(ApiVersions, 0, {})).errorCode, 0)
  client.close()
  const exit = ended(child)
  child.kill('SIGTERM')
  assert.equal(await exit, 0)
})
