/** @platformatic/kafka: a library in TypeScript, whose producer makes a request of each call. */
import { type ClientDriver, nextRecord, type OnRecord, recordsOf, type Target } from './driver.ts'
import { requirePeer } from './peers.ts'

interface Message {
  readonly topic: string
  readonly key: Buffer
  readonly value: Buffer
}

interface Library {
  readonly Producer: new (
    options: object,
  ) => {
    send(request: { messages: Message[] }): Promise<unknown>
    close(): Promise<void>
  }
  readonly Consumer: new (
    options: object,
  ) => {
    consume(options: object): Promise<{
      on(event: 'data', listener: (message: Message) => void): void
      close(): Promise<void>
    }>
    close(): Promise<void>
  }
}

const library = () => requirePeer('@platformatic/kafka') as Library

export const platformatic: ClientDriver = {
  name: '@platformatic/kafka',
  note: '`producer.send`, the stream’s `data` event; its defaults (not idempotent)',

  async openProducer({ address, topic }) {
    const { Producer } = library()
    const producer = new Producer({ clientId: 'b', bootstrapBrokers: [address], acks: -1 })
    return {
      sendOne: () => producer.send({ messages: [{ topic, ...nextRecord() }] }),
      sendMany: (count) =>
        producer.send({ messages: recordsOf(count, ({ key, value }) => ({ topic, key, value })) }),
      close: () => producer.close(),
    }
  },

  async consume({ address, topic }: Target, groupId: string, onRecord: OnRecord) {
    const { Consumer } = library()
    const consumer = new Consumer({ clientId: 'b', groupId, bootstrapBrokers: [address] })
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: true })
    await new Promise<void>((resolve) => {
      stream.on('data', ({ key, value }) => {
        if (!onRecord(key, value)) resolve()
      })
    })
    await stream.close()
    await consumer.close()
  },
}
