/** The models must see what is wrong: each is shown a broker that misbehaves. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CompactedModel, type FoundRecord } from '../../sim/compacted-model.ts'
import { OffsetModel } from '../../sim/offset-model.ts'
import { Violation } from '../../sim/partition-model.ts'
import { TransactionModel } from '../../sim/transaction-model.ts'

function violates(act: () => void, message: RegExp): void {
  assert.throws(act, (error) => error instanceof Violation && message.test(error.message))
}

/** A transaction of one record in each of two partitions, at offset 0. */
function sendTransaction(model: TransactionModel) {
  const transaction = model.begin('t', 'p')
  const [first, second] = [0, 1].map((partition) => model.send(transaction, partition, 1)[0]!)
  model.acknowledge([first!], 0)
  model.acknowledge([second!], 0)
  const found = [{ id: first!, offset: 0 }]
  return { transaction, first: found, second: [{ id: second!, offset: 0 }] }
}

test('a transaction is read whole or not at all, as its producer was told', () => {
  const model = new TransactionModel('x')
  const { transaction, first, second } = sendTransaction(model)
  model.found(0, [], 0)
  violates(() => model.found(0, first, 1), /never to be committed/)
  transaction.mayCommit = true
  model.found(0, first, 1)
  violates(() => model.found(1, [], 1), /was committed, but/)
  model.found(1, second, 1)
  violates(() => model.found(1, [...second, { id: 't/1', offset: 1 }], 2), /and before/)
  violates(() => transaction.aborted('it is said'), /was committed/)

  const other = new TransactionModel('x')
  const missed = sendTransaction(other)
  missed.transaction.mayCommit = true
  other.found(0, [], 1)
  violates(() => other.found(1, missed.second, 1), /was aborted/)
  violates(() => other.found(1, [{ id: 'nobody', offset: 0 }], 1), /nobody sent/)
})

test("a transaction's offset shares its fate, and one that is overtaken never comes back", () => {
  const model = new TransactionModel('x')
  const [first, second] = ['a', 'b'].map((name) => model.begin(name, 'p'))
  const offsets = [model.chooseOffset(first!), model.chooseOffset(second!)]
  first!.mayCommit = true
  model.foundOffset('p', offsets[0]!, true)
  assert.equal(first!.fate, 'committed')
  assert.equal(second!.fate, 'aborted')
  violates(() => model.foundOffset('p', offsets[1]!, true), /never to be committed/)
  violates(() => model.foundOffset('p', -1, true), /was committed/)
  violates(() => model.foundOffset('p', 99, false), /never committed 99/)
})

test('a committed offset stays, or is one whose commit was not answered', () => {
  const model = new OffsetModel('o')
  const [first, second, third] = [model.next(), model.next(), model.next()]
  model.acknowledge(first)
  model.found(second)
  violates(() => model.found(first), /is 0, not 1/)
  model.foundAfterStart(third)
  violates(() => model.found(second), /is 1, not 2/)
  model.stopped()
  model.lose()
  violates(() => model.found(first), /is 0, not 2/)
  model.found(third)
})

test('the newest of each key stays at its offset; a tombstone goes after what it covers', () => {
  const model = (keepsTombstones: boolean) => {
    const made = new CompactedModel({ name: 'c', isFlushed: true, keepsTombstones })
    made.send('1', 'k', false)
    made.send('2', 'l', false)
    made.send('3', 'k', true)
    made.acknowledge(['1', '2', '3'], 0)
    return made
  }
  const value: FoundRecord = { id: '1', key: 'k', isTombstone: false, offset: 0 }
  const other: FoundRecord = { id: '2', key: 'l', isTombstone: false, offset: 1 }
  const tombstone: FoundRecord = { id: '3', key: 'k', isTombstone: true, offset: 2 }
  model(true).found([value, other, tombstone], 3)
  model(true).found([other, tombstone], 3)
  violates(() => model(true).found([other], 3), /has lost 3/)
  violates(() => model(false).found([tombstone], 3), /has lost 2/)
  violates(() => model(true).found([tombstone, other], 3), /out of order/)
  violates(() => model(true).found([value, other, { ...tombstone, offset: 3 }], 4), /and at 2/)
  violates(() => model(true).found([value, { ...other, key: 'm' }, tombstone], 3), /nobody sent/)
  model(false).foundAtRest([other], 3)
  violates(() => model(false).foundAtRest([value, other], 3), /no more its deletion/)

  const crashed = model(true)
  crashed.crashed('power')
  violates(() => crashed.recovered(2), /all below 3 was safe/)
})
