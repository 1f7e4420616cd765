/**
 * What readers of committed records may see, as the producers know it: the oracle for transactions.
 *
 * A transaction is read whole or not at all, over all its partitions and its committed offset. It
 * must be read once its commit is acknowledged, and never if nobody has asked for a commit, or that
 * was refused. If the answer did not come, the first partition in which it is found, or missed,
 * decides about all.
 *
 * After a power cut that may have taken acknowledged records of unflushed logs, transactions are
 * loose: each of their records may be there or not. That holds for later ones too, because a
 * coordinator that has forgotten some epochs gives them out again.
 */
import { Violation } from './partition-model.ts'

/** A record and the partition it was sent to. */
interface SentRecord {
  readonly id: string
  readonly partition: number
  readonly transaction: Transaction
  /** Its place in the order of sending. */
  readonly order: number
  /** Undefined until it was acknowledged or read. */
  offset: number | undefined
}

export class Transaction {
  readonly name: string
  readonly producer: string
  readonly records: SentRecord[] = []
  /** The offset that it commits for its producer's group; each transaction has another. */
  offset: number | undefined
  /** Its producer has asked for the commit. */
  mayCommit = false
  fate: 'unknown' | 'committed' | 'aborted' = 'unknown'
  isLoose = false

  constructor(name: string, producer: string) {
    this.name = name
    this.producer = producer
  }

  /** Throws unless the transaction can have been committed; from now on it is. */
  committed(how: string): void {
    if (this.isLoose) return
    if (!this.mayCommit) throw new Violation(`${this.name} was never to be committed, ${how}`)
    if (this.fate === 'aborted') throw new Violation(`${this.name} was aborted, ${how}`)
    this.fate = 'committed'
  }

  /** Throws if the transaction is known to be committed; from now on it is not. */
  aborted(how: string): void {
    if (this.isLoose) return
    if (this.fate === 'committed') throw new Violation(`${this.name} was committed, ${how}`)
    this.fate = 'aborted'
  }
}

export class TransactionModel {
  readonly topic: string
  readonly #transactions: Transaction[] = []
  readonly #records = new Map<string, SentRecord>()
  #nextOrder = 0
  #nextOffset = 0
  #hasLost = false

  constructor(topic: string) {
    this.topic = topic
  }

  begin(name: string, producer: string): Transaction {
    const transaction = new Transaction(name, producer)
    transaction.isLoose = this.#hasLost
    this.#transactions.push(transaction)
    return transaction
  }

  /** Registers records before they are sent; returns their ids. */
  send(transaction: Transaction, partition: number, count: number): string[] {
    const sent = Array.from({ length: count }, (_, index): SentRecord => {
      const id = `${transaction.name}/${transaction.records.length + index}`
      return { id, partition, transaction, order: this.#nextOrder++, offset: undefined }
    })
    for (const record of sent) this.#records.set(record.id, record)
    transaction.records.push(...sent)
    return sent.map(({ id }) => id)
  }

  acknowledge(ids: readonly string[], baseOffset: number): void {
    for (const [index, id] of ids.entries()) this.#place(this.#records.get(id)!, baseOffset + index)
  }

  /** An offset for the transaction to commit, above all before it. */
  chooseOffset(transaction: Transaction): number {
    transaction.offset = this.#nextOffset++
    return transaction.offset
  }

  /** The broker may have lost what it has acknowledged. */
  lose(): void {
    this.#hasLost = true
    for (const transaction of this.#transactions) transaction.isLoose = true
    for (const record of this.#records.values()) record.offset = undefined
  }

  /** What a reader of committed records has found in a partition, of which it has read all below
   * `end`. */
  found(partition: number, found: readonly { id: string; offset: number }[], end: number): void {
    const seen = new Set<SentRecord>()
    let last: SentRecord | undefined
    for (const { id, offset } of found) {
      const record = this.#records.get(id)
      const where = `${id} is at ${offset} of ${this.topic}-${partition}`
      if (record === undefined || record.partition !== partition) {
        throw new Violation(`${where}, where nobody sent it`)
      }
      if (seen.has(record)) throw new Violation(`${where}, and before`)
      seen.add(record)
      this.#place(record, offset)
      record.transaction.committed(`and ${where}`)
      const isSameProducer = last?.transaction.producer === record.transaction.producer
      if (!this.#hasLost && isSameProducer && last!.order > record.order) {
        throw new Violation(`${where}, after ${last!.id}`)
      }
      last = record
    }
    for (const record of this.#records.values()) {
      if (record.partition !== partition || seen.has(record)) continue
      if (record.offset === undefined || record.offset >= end) continue
      record.transaction.aborted(
        `but ${record.id} is not at ${record.offset} of ${this.topic}-${partition}`,
      )
    }
  }

  /**
   * The offset that a producer's group has committed. `isStable`: no transaction over it is open.
   */
  foundOffset(producer: string, offset: number, isStable: boolean): void {
    const own = this.#transactions.filter(
      (transaction) => transaction.producer === producer && transaction.offset !== undefined,
    )
    const at = own.findIndex((transaction) => transaction.offset === offset)
    if (at === -1 && offset !== -1) throw new Violation(`${producer} has never committed ${offset}`)
    const what = `and the offset of its producer is ${offset}`
    own[at]?.committed(what)
    if (!isStable) return
    for (const later of own.slice(at + 1)) later.aborted(what)
  }

  #place(record: SentRecord, offset: number): void {
    if (record.transaction.isLoose) return
    if (record.offset !== undefined && record.offset !== offset) {
      throw new Violation(`${record.id} is at ${record.offset}, and at ${offset} too`)
    }
    record.offset = offset
  }
}
