/** Samsa's own clients, from their sources. */
import { Producer } from '../../src/clients/index.ts'
import { type ClientDriver, nextRecord, recordsOf } from './driver.ts'

export const samsa: ClientDriver = {
  name: 'Samsa',
  note: '`send`, `sendBatch`; linger.ms=0, idempotent (its default)',

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

  consume() {
    throw new Error('not there yet')
  },
}
