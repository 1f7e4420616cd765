import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metadata } from '../../../src/protocol/messages/metadata.ts'
import { ClientWorld } from '../support/client-world.ts'
import { answer, requestOf, type ScriptedRequest } from '../support/scripted-broker.ts'

const ID = { a: 'AAAAAAAAAAAAAAAAAAAAAQ', b: 'AAAAAAAAAAAAAAAAAAAAAg' }

/** A broker that has the topics that `names` holds at the time. */
function brokerOf(names: readonly (keyof typeof ID)[]) {
  return (scripted: ScriptedRequest) => {
    const request = requestOf(Metadata, scripted)
    if (request === undefined) return undefined
    const topics = names.map((name) => ({
      errorCode: 0,
      name,
      topicId: ID[name],
      partitions: [],
    }))
    const asked = request.topics?.map(({ name, topicId }) => {
      const found = topics.find((topic) => topic.name === name || topic.topicId === topicId)
      return found ?? { errorCode: name === null ? 100 : 3, name, topicId, partitions: [] }
    })
    const brokers = [{ nodeId: 1, host: 'broker-1', port: 9092 }]
    return answer(Metadata, { brokers, controllerId: 1, topics: asked ?? topics })
  }
}

test('a refresh asks about watched topics, and forgets those that are gone', async () => {
  const world = new ClientWorld()
  const names: (keyof typeof ID)[] = ['a']
  await world.run(async () => {
    await world.broker(1, brokerOf(names))
    const client = world.client()
    client.watch(new Set(['a', 'b']))
    await client.refresh(client.limits())
    assert.deepEqual([...client.metadata.topics.keys()], ['a'])
    assert.deepEqual([...client.metadata.failures], [['b', 3]])
    names.push('b')
    client.watch('all')
    await client.refresh(client.limits())
    assert.deepEqual([...client.metadata.topics.keys()], ['a', 'b'])
    names.shift()
    await client.refresh(client.limits())
    assert.deepEqual([...client.metadata.topics.keys()], ['b'])
    client.close()
  })
})

test('topics are found by their ids', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    await world.broker(1, brokerOf(['a']))
    const client = world.client()
    await client.learnTopics([ID.a, ID.b], client.limits())
    assert.equal(client.metadata.nameOf(ID.a), 'a')
    assert.equal(client.metadata.nameOf(ID.b), undefined)
    client.close()
  })
})
