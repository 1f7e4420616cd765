/** kafkajs: a library in JavaScript, whose producer makes a request of each call. */
import { type ClientDriver, nextRecord, type OnRecord, recordsOf, type Target } from './driver.ts'
import { requirePeer } from './peers.ts'

interface Message {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

interface Kafka {
  producer(options: object): {
    connect(): Promise<void>
    send(request: { topic: string; acks: number; messages: Message[] }): Promise<unknown>
    disconnect(): Promise<void>
  }
  consumer(options: object): {
    connect(): Promise<void>
    subscribe(options: object): Promise<void>
    run(options: { eachBatch(given: { batch: { messages: Message[] } }): Promise<void> }): void
    disconnect(): Promise<void>
  }
}

function connect({ address }: Target): Kafka {
  const { Kafka, logLevel } = requirePeer('kafkajs') as {
    Kafka: new (options: object) => Kafka
    logLevel: { ERROR: number }
  }
  return new Kafka({ brokers: [address], logLevel: logLevel.ERROR })
}

export const kafkajs: ClientDriver = {
  name: 'kafkajs',
  note: '`producer.send`, `eachBatch`; its defaults (not idempotent)',

  async openProducer(target) {
    const { topic } = target
    const producer = connect(target).producer({})
    await producer.connect()
    return {
      sendOne: () => producer.send({ topic, acks: -1, messages: [nextRecord()] }),
      sendMany: (count) =>
        producer.send({ topic, acks: -1, messages: recordsOf(count, (record) => record) }),
      close: () => producer.disconnect(),
    }
  },

  async consume(target: Target, groupId: string, onRecord: OnRecord) {
    const consumer = connect(target).consumer({ groupId })
    await consumer.connect()
    await consumer.subscribe({ topics: [target.topic], fromBeginning: true })
    await new Promise<void>((resolve) => {
      consumer.run({
        async eachBatch({ batch }) {
          for (const { key, value } of batch.messages) if (!onRecord(key, value)) resolve()
        },
      })
    })
    await consumer.disconnect()
  },
}
