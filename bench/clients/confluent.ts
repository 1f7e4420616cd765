/**
 * @confluentinc/kafka-javascript: librdkafka, in C with threads of its own, under JavaScript.
 *
 * Its callback interface is that of node-rdkafka, from which it comes, and faster than the
 * promises it puts on top; records come fastest as events, without a call for each handful.
 */
import { type ClientDriver, nextRecord, type OnRecord, type Target } from './driver.ts'
import { requirePeer } from './peers.ts'

interface Message {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

interface Client {
  connect(options: object, callback: (error: Error | null) => void): void
  disconnect(callback: () => void): void
}

interface Library {
  readonly Producer: new (
    options: object,
  ) => Client & {
    on(
      event: 'delivery-report',
      listener: (error: Error | null, report: { opaque: (error: Error | null) => void }) => void,
    ): void
    setPollInBackground(value: boolean): void
    produce(
      ...args: [string, number | null, Buffer, Buffer, number | null, (e: Error | null) => void]
    ): void
  }
  readonly KafkaConsumer: new (
    options: object,
    topicOptions: object,
  ) => Client & {
    subscribe(topics: string[]): void
    on(event: 'data', listener: (message: Message) => void): void
    consume(): void
  }
}

const library = () => requirePeer('@confluentinc/kafka-javascript') as Library

const connected = (client: Client) =>
  new Promise<void>((resolve, reject) => {
    client.connect({}, (error) => (error ? reject(error) : resolve()))
  })

const disconnected = (client: Client) =>
  new Promise<void>((resolve) => client.disconnect(() => resolve()))

export const confluent: ClientDriver = {
  name: '@confluentinc/kafka-javascript',
  note: '`produce` with delivery reports polled in the background, `data` events; linger.ms=0',

  async openProducer({ address, topic }) {
    const { Producer } = library()
    const producer = new Producer({
      ...{ 'bootstrap.servers': address, acks: -1, 'linger.ms': 0, dr_cb: true },
    })
    await connected(producer)
    producer.setPollInBackground(true)
    producer.on('delivery-report', (error, { opaque }) => opaque(error))
    const send = (done: (error: Error | null) => void) => {
      const { key, value } = nextRecord()
      producer.produce(topic, null, value, key, null, done)
    }
    return {
      sendOne: () =>
        new Promise<void>((resolve, reject) => {
          send((error) => (error ? reject(error) : resolve()))
        }),
      sendMany: (count) =>
        new Promise<void>((resolve, reject) => {
          let left = count
          const done = (error: Error | null) => {
            left -= 1
            if (error) reject(error)
            else if (left === 0) resolve()
          }
          for (let i = 0; i < count; i++) send(done)
        }),
      close: () => disconnected(producer),
    }
  },

  async consume({ address, topic }: Target, groupId: string, onRecord: OnRecord) {
    const { KafkaConsumer } = library()
    const consumer = new KafkaConsumer(
      { 'bootstrap.servers': address, 'group.id': groupId },
      { 'auto.offset.reset': 'earliest' },
    )
    await connected(consumer)
    consumer.subscribe([topic])
    await new Promise<void>((resolve) => {
      consumer.on('data', ({ key, value }) => {
        if (!onRecord(key, value)) resolve()
      })
      consumer.consume()
    })
    await disconnected(consumer)
  },
}
