/** Samsa's own clients, from their sources. */
import { Consumer, Producer } from '../../src/clients/index.ts'
import { type ClientDriver, nextRecord, type OnRecord, recordsOf } from './driver.ts'

export const samsa: ClientDriver = {
  name: 'Samsa',
  note: '`send`, `sendBatch`, `batches`; linger.ms=0, idempotent (its default)',

  async openProducer({ address, topic }) {
    const producer = new Producer<Uint8Array, Uint8Array>({
      bootstrapServers: address,
      lingerMs: 0,
    })
    return {
      sendOne() {
        const { key, value } = nextRecord()
        return producer.send({ topic, key, value })
      },
      sendMany(count) {
        return producer.sendBatch(recordsOf(count, ({ key, value }) => ({ topic, key, value })))
      },
      close: () => producer.close(),
    }
  },

  async consume({ address, topic }, groupId, onRecord) {
    const consumer = new Consumer({
      ...{ bootstrapServers: address, groupId, autoOffsetReset: 'earliest' },
    })
    consumer.subscribe(topic)
    await readAll(consumer, onRecord)
    await consumer.close()
  },
}

async function readAll(consumer: Consumer, onRecord: OnRecord): Promise<void> {
  for await (const records of consumer.batches()) {
    for (const { key, value } of records) if (!onRecord(key, value)) return
  }
}
