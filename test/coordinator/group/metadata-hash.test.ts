import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metadataHash } from '../../../src/coordinator/group/metadata-hash.ts'
import type { TopicImage } from '../../../src/coordinator/group/topic-image.ts'

const IDS: Readonly<Record<string, string>> = {
  orders: 'AAECAwQFBgcICQoLDA0ODw',
  payments: '_-7dzLuqmYh3ZlVEMyIRAA',
}

const TOPICS: TopicImage = {
  topicId: (name) => IDS[name],
  topicName: (topicId) => Object.keys(IDS).find((name) => IDS[name] === topicId),
  partitionCount: (name) => ({ orders: 3, payments: 50 })[name],
  names: () => Object.keys(IDS),
  racks: (name, partition) =>
    name === 'orders' ? [] : [`rack${(partition + 1) % 3}`, `rack${partition % 3}`],
}

test('the hash is the one that Kafka 4.2.1 computes', () => {
  assert.equal(metadataHash([], TOPICS), 0n)
  assert.equal(metadataHash(['orders'], TOPICS), 3091374266733325672n)
  assert.equal(metadataHash(['payments', 'orders'], TOPICS), 7977738049035743531n)
})

test('topics that are not there make no difference', () => {
  assert.equal(metadataHash(['gone'], TOPICS), 0n)
  assert.equal(metadataHash(['orders', 'gone'], TOPICS), 3091374266733325672n)
})
