/**
 * What every metadata store has to do, as tests. A store's own test file calls
 * `testMetadataStore` with a way to begin a fresh, empty place.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  ANY_VERSION,
  ensurePaths,
  isMetadataError,
  type MetadataErrorCode,
  type MetadataOperation,
  type MetadataService,
  type MetadataStore,
  type SessionState,
  type WatchEvent,
} from '../../src/metadata/metadata-store.ts'

export interface ContractSubject {
  /**
   * Runs `body` on a service with no nodes but the root (as its clients see it), makes whatever
   * time it needs pass, and cleans up. `expire` ends a session as though it had not been heard of.
   */
  use(
    body: (
      service: MetadataService,
      expire: (session: MetadataStore) => Promise<void>,
    ) => Promise<void>,
  ): Promise<void>
}

const text = (value: string) => Buffer.from(value)

async function rejectsWith(
  code: MetadataErrorCode,
  promise: Promise<unknown>,
  operationIndex?: number,
): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(isMetadataError(error, code), `${code} expected, not ${error}`)
    assert.equal((error as { operationIndex?: number }).operationIndex, operationIndex)
    return true
  })
}

/** A watcher, and the events it was given. */
function recorder(): { events: string[]; watcher: (event: WatchEvent) => void } {
  const events: string[] = []
  return { events, watcher: ({ type, path }) => events.push(`${type} ${path}`) }
}

/** Gives watchers their turn: a write that another session does, and sees, comes after them. */
async function settle(...sessions: MetadataStore[]): Promise<void> {
  for (const session of sessions) await session.sync()
  for (const session of sessions) await session.exists('/')
}

export function testMetadataStore(name: string, subject: ContractSubject): void {
  describe(`${name} keeps nodes`, () => testNodes(subject))
  describe(`${name} does all of a multi or none`, () => testMulti(subject))
  describe(`${name} ends sessions`, () => testSessions(subject))
  describe(`${name} fires watches`, () => testWatches(subject))
  test(`${name} agrees with a model`, () => testAgainstModel(subject))
}

function testNodes(subject: ContractSubject): void {
  const one = (title: string, body: (store: MetadataStore) => Promise<void>) =>
    test(title, () => subject.use(async (service) => body(await service.openSession())))

  one('a node is created, read, set and deleted', async (store) => {
    const created = await store.create('/a', text('one'))
    assert.equal(created.path, '/a')
    assert.equal(created.stat.version, 0)
    assert.equal(created.stat.ephemeralOwner, 0n)
    const { data, stat } = await store.get('/a')
    assert.equal(data.toString(), 'one')
    assert.deepEqual(stat, created.stat)
    const changed = await store.set('/a', text('three'), 0)
    assert.equal(changed.version, 1)
    assert.equal(changed.dataLength, 5)
    assert.equal(changed.czxid, stat.czxid)
    assert.ok(changed.mzxid > stat.mzxid)
    await store.delete('/a', 1)
    assert.equal(await store.exists('/a'), undefined)
    const again = await store.create('/a', text(''))
    assert.ok(again.stat.czxid > changed.mzxid, 'a new incarnation has a new czxid')
    assert.equal(again.stat.version, 0)
  })

  one('0 is a real version and -1 the only wildcard', async (store) => {
    await store.create('/a', text(''))
    await store.set('/a', text('x'), 0)
    await rejectsWith('BAD_VERSION', store.set('/a', text('y'), 0))
    await rejectsWith('BAD_VERSION', store.set('/a', text('y'), -2))
    await rejectsWith('BAD_VERSION', store.delete('/a', 0))
    assert.equal((await store.get('/a')).data.toString(), 'x')
    assert.equal((await store.set('/a', text('z'), ANY_VERSION)).version, 2)
    await store.delete('/a', ANY_VERSION)
  })

  one('what cannot be done is refused by name', async (store) => {
    await store.create('/a', text(''))
    await store.create('/a/b', text(''))
    await store.create('/e', text(''), { ephemeral: true })
    await rejectsWith('NODE_EXISTS', store.create('/a', text('')))
    await rejectsWith('NODE_EXISTS', store.create('/', text('')))
    await rejectsWith('NO_NODE', store.create('/x/y', text('')))
    await rejectsWith('NO_NODE', store.get('/x'))
    await rejectsWith('NO_NODE', store.children('/x'))
    await rejectsWith('NO_NODE', store.set('/x', text(''), ANY_VERSION))
    await rejectsWith('NO_NODE', store.delete('/x', ANY_VERSION))
    await rejectsWith('NOT_EMPTY', store.delete('/a', 0))
    await rejectsWith('NO_CHILDREN_FOR_EPHEMERALS', store.create('/e/f', text('')))
    await rejectsWith('BAD_ARGUMENTS', store.delete('/', ANY_VERSION))
    for (const path of ['', 'a', '/a/', '//', '/a//b', '/./a', '/a/..', '/a\0b']) {
      await rejectsWith('BAD_ARGUMENTS', store.create(path, text('')))
      await rejectsWith('BAD_ARGUMENTS', store.get(path))
    }
  })

  one('children are counted, sorted and versioned', async (store) => {
    await store.create('/a', text(''))
    for (const child of ['b', 'a', 'ä', 'c']) await store.create(`/a/${child}`, text(''))
    await store.delete('/a/b', 0)
    const { names, stat } = await store.children('/a')
    assert.deepEqual(names, ['a', 'c', 'ä'])
    assert.equal(stat.childCount, 3)
    assert.equal(stat.childVersion, 5)
    assert.equal(stat.version, 0, 'children do not change the version of the data')
    assert.ok(stat.pzxid > stat.czxid)
  })

  one('sequential names grow, also past what was deleted', async (store) => {
    await store.create('/s', text(''))
    const first = await store.create('/s/n_', text(''), { sequential: true })
    assert.equal(first.path, '/s/n_0000000000')
    await store.delete(first.path, 0)
    const second = await store.create('/s/n_', text(''), { sequential: true })
    assert.equal(second.path, '/s/n_0000000001')
    const bare = await store.create('/s/', text(''), { sequential: true })
    assert.equal(bare.path, '/s/0000000002')
  })

  one('data is copied both ways', async (store) => {
    const given = text('abc')
    const creation = store.create('/a', given)
    given.fill('x')
    await creation
    const { data } = await store.get('/a')
    data.fill('y')
    assert.equal((await store.get('/a')).data.toString(), 'abc')
  })

  one('a large node is kept', async (store) => {
    const large = Buffer.alloc(900_000, 'samsa')
    await store.create('/large', large)
    assert.ok((await store.get('/large')).data.equals(large))
  })

  one('ensurePaths makes what is missing', async (store) => {
    await Promise.all([ensurePaths(store, ['/a/b/c']), ensurePaths(store, ['/a/b/d'])])
    await ensurePaths(store, ['/a/b/c'])
    assert.deepEqual((await store.children('/a/b')).names, ['c', 'd'])
  })
}

function testMulti(subject: ContractSubject): void {
  test('each step sees the ones before it', () =>
    subject.use(async (service) => {
      const store = await service.openSession()
      const results = await store.multi([
        { type: 'create', path: '/a', data: text(''), ephemeral: true },
        { type: 'set', path: '/a', data: text('x'), version: 0 },
        { type: 'check', path: '/a', version: 1 },
        { type: 'create', path: '/b', data: text('') },
        { type: 'create', path: '/b/n', data: text(''), sequential: true },
        { type: 'delete', path: '/b/n0000000000', version: 0 },
      ])
      assert.deepEqual(
        results.map(({ path }) => path),
        ['/a', '/a', '/a', '/b', '/b/n0000000000', '/b/n0000000000'],
      )
      const { data, stat } = await store.get('/a')
      assert.equal(data.toString(), 'x')
      assert.equal(stat.ephemeralOwner, store.sessionId)
      assert.equal(stat.czxid, stat.mzxid, 'one transaction')
      assert.deepEqual((await store.children('/b')).names, [])
    }))

  test('one that fails undoes the others and is named', () =>
    subject.use(async (service) => {
      const store = await service.openSession()
      await store.create('/a', text('before'))
      await store.create('/gone', text('kept'))
      const before = await store.exists('/')
      const operations: MetadataOperation[] = [
        { type: 'set', path: '/a', data: text('after'), version: 0 },
        { type: 'delete', path: '/gone', version: 0 },
        { type: 'create', path: '/gone', data: text('new') },
        { type: 'create', path: '/gone/child', data: text('') },
        { type: 'check', path: '/a', version: 0 },
      ]
      await rejectsWith('BAD_VERSION', store.multi(operations), 4)
      assert.equal((await store.get('/a')).data.toString(), 'before')
      assert.equal((await store.get('/gone')).data.toString(), 'kept')
      assert.deepEqual(await store.exists('/'), before)
      assert.equal(await store.exists('/gone/child'), undefined)
    }))

  test('of two that compare and set, one wins', () =>
    subject.use(async (service) => {
      const sessions = await Promise.all([service.openSession(), service.openSession()])
      await sessions[0]!.create('/epoch', text('0'))
      const outcomes = await Promise.allSettled(
        sessions.map((session) =>
          session.multi([
            { type: 'create', path: '/controller', data: text(''), ephemeral: true },
            { type: 'set', path: '/epoch', data: text('1'), version: 0 },
          ]),
        ),
      )
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      assert.equal((await sessions[0]!.get('/epoch')).stat.version, 1)
    }))
}

function testSessions(subject: ContractSubject): void {
  test('closing one deletes its ephemeral nodes and no others', () =>
    subject.use(async (service) => {
      const [mine, other] = [await service.openSession(), await service.openSession()]
      assert.notEqual(mine.sessionId, other.sessionId)
      await mine.create('/mine', text(''), { ephemeral: true })
      await mine.create('/stays', text(''))
      await other.create('/other', text(''), { ephemeral: true })
      await mine.close()
      assert.equal(mine.state, 'closed')
      await other.sync()
      assert.deepEqual((await other.children('/')).names.filter(isOurs), ['other', 'stays'])
      await rejectsWith('SESSION_EXPIRED', mine.get('/stays'))
      await rejectsWith('SESSION_EXPIRED', mine.create('/late', text('')))
      await mine.close()
    }))

  test('expiry is final and is told', () =>
    subject.use(async (service, expire) => {
      const [mine, other] = [await service.openSession(), await service.openSession()]
      const states: SessionState[] = []
      mine.onStateChange((state) => states.push(state))
      mine.onStateChange(() => assert.fail('a listener taken off is not called'))()
      await mine.create('/mine', text(''), { ephemeral: true })
      const watched = recorder()
      await mine.exists('/later', watched.watcher)
      await expire(mine)
      await other.sync()
      assert.equal(await other.exists('/mine'), undefined)
      assert.equal(mine.state, 'expired')
      assert.equal(states.at(-1), 'expired')
      await rejectsWith('SESSION_EXPIRED', mine.sync())
      await rejectsWith('SESSION_EXPIRED', mine.multi([]))
      await other.create('/later', text(''))
      await settle(other)
      assert.deepEqual(watched.events, [], 'a dead session hears nothing')
      await mine.close()
      assert.equal(mine.state, 'expired')
    }))
}

/** ZooKeeper has a node of its own at the root. */
function isOurs(name: string): boolean {
  return name !== 'zookeeper'
}

function testWatches(subject: ContractSubject): void {
  const two = (
    title: string,
    body: (reader: MetadataStore, writer: MetadataStore) => Promise<void>,
  ) =>
    test(title, () =>
      subject.use(async (service) => {
        const [reader, writer] = [await service.openSession(), await service.openSession()]
        await writer.create('/w', text(''))
        await reader.sync()
        await body(reader, writer)
      }),
    )

  two('data watches hear of set, create and delete, once', async (reader, writer) => {
    const { events, watcher } = recorder()
    await reader.get('/w', watcher)
    await writer.set('/w', text('1'), 0)
    await writer.set('/w', text('2'), 1)
    await settle(writer, reader)
    assert.deepEqual(events, ['changed /w'])
    await reader.exists('/w', watcher)
    await writer.delete('/w', 2)
    await settle(writer, reader)
    await reader.exists('/w', watcher)
    await writer.create('/w', text(''))
    await settle(writer, reader)
    assert.deepEqual(events, ['changed /w', 'deleted /w', 'created /w'])
  })

  two('child watches hear of children and of the end', async (reader, writer) => {
    const { events, watcher } = recorder()
    await reader.children('/w', watcher)
    await writer.set('/w', text('1'), 0)
    await writer.create('/w/a', text(''))
    await settle(writer, reader)
    assert.deepEqual(events, ['children /w'], 'data is not its business')
    await reader.children('/w', watcher)
    await writer.set('/w/a', text('1'), 0)
    await writer.delete('/w/a', 1)
    await settle(writer, reader)
    await reader.children('/w', watcher)
    await writer.delete('/w', 1)
    await settle(writer, reader)
    assert.deepEqual(events, ['children /w', 'children /w', 'deleted /w'])
  })

  two('a read that fails arms nothing; the same watcher is armed once', async (reader, writer) => {
    const missing = recorder()
    await rejectsWith('NO_NODE', reader.get('/x', missing.watcher))
    await rejectsWith('NO_NODE', reader.children('/x', missing.watcher))
    await writer.create('/x', text(''))
    const { events, watcher } = recorder()
    await reader.get('/w', watcher)
    await reader.get('/w', watcher)
    await reader.exists('/w', watcher)
    const second = recorder()
    await reader.get('/w', second.watcher)
    await writer.set('/w', text('1'), 0)
    await settle(writer, reader)
    assert.deepEqual(missing.events, [])
    assert.deepEqual(events, ['changed /w'])
    assert.deepEqual(second.events, ['changed /w'])
  })

  two('a watcher finds the change that it was called for', async (reader, writer) => {
    let seen: Promise<string> | undefined
    let insideCall = true
    await reader.get('/w', () => {
      assert.ok(!insideCall, 'not called from within the write')
      seen = reader.get('/w').then(({ data }) => data.toString())
    })
    const write = writer.set('/w', text('new'), 0)
    insideCall = false
    await write
    await settle(writer, reader)
    assert.equal(await seen, 'new')
  })

  two('a failed multi fires nothing', async (reader, writer) => {
    const { events, watcher } = recorder()
    await reader.get('/w', watcher)
    await reader.children('/w', watcher)
    const operations: MetadataOperation[] = [
      { type: 'set', path: '/w', data: text(''), version: 0 },
      { type: 'create', path: '/w/a', data: text('') },
      { type: 'check', path: '/nowhere', version: ANY_VERSION },
    ]
    await rejectsWith('NO_NODE', writer.multi(operations), 2)
    await settle(writer, reader)
    assert.deepEqual(events, [])
  })
}

/** Random operations on a handful of paths, compared with the plainest possible model. */
async function testAgainstModel(subject: ContractSubject): Promise<void> {
  const path = fc.constantFrom('/a', '/b', '/a/a', '/a/b', '/b/a', '/a/a/a')
  const data = fc.uint8Array({ maxLength: 8 })
  const version = fc.constantFrom(ANY_VERSION, 0, 1, 2)
  const operation: fc.Arbitrary<MetadataOperation> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ type: fc.constant('create' as const), path, data }) },
    fc.record({ type: fc.constant('set' as const), path, data, version }),
    fc.record({ type: fc.constant('delete' as const), path, version }),
    fc.record({ type: fc.constant('check' as const), path, version }),
  )
  const multis = fc.array(fc.array(operation, { minLength: 1, maxLength: 4 }), { maxLength: 25 })
  await fc.assert(
    fc.asyncProperty(multis, (batches) =>
      subject.use(async (service) => {
        const store = await service.openSession()
        let model: Model = new Map()
        for (const operations of batches) {
          const next: Model = new Map(model)
          let error: MetadataErrorCode | undefined
          for (const each of operations) error ??= applyToModel(next, each)
          if (error === undefined) {
            await store.multi(operations)
            model = next
          } else {
            await assert.rejects(store.multi(operations), { code: error })
          }
        }
        for (const [nodePath, node] of model) {
          const found = await store.get(nodePath)
          assert.deepEqual([...found.data], [...node.data])
          assert.equal(found.stat.version, node.version)
          assert.deepEqual((await store.children(nodePath)).names, modelChildren(model, nodePath))
        }
        const top = (await store.children('/')).names.filter(isOurs)
        assert.deepEqual(top, modelChildren(model, ''))
      }),
    ),
    { numRuns: 60 },
  )
}

type Model = Map<string, { data: Uint8Array; version: number }>

function modelChildren(model: Model, path: string): string[] {
  const depth = path.split('/').length
  return [...model.keys()]
    .filter((key) => key.startsWith(`${path}/`) && key.split('/').length === depth + 1)
    .map((key) => key.slice(path.length + 1))
    .sort()
}

function applyToModel(model: Model, operation: MetadataOperation): MetadataErrorCode | undefined {
  const { path } = operation
  const node = model.get(path)
  if (operation.type === 'create') {
    const parent = path.slice(0, path.lastIndexOf('/'))
    if (parent !== '' && !model.has(parent)) return 'NO_NODE'
    if (node !== undefined) return 'NODE_EXISTS'
    model.set(path, { data: operation.data, version: 0 })
    return undefined
  }
  if (node === undefined) return 'NO_NODE'
  if (operation.version !== ANY_VERSION && operation.version !== node.version) return 'BAD_VERSION'
  if (operation.type === 'set') {
    model.set(path, { data: operation.data, version: node.version + 1 })
  } else if (operation.type === 'delete') {
    if (modelChildren(model, path).length > 0) return 'NOT_EMPTY'
    model.delete(path)
  }
  return undefined
}
