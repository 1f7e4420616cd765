/** The application that the tests beside this are of: it writes an invoice for each order. */
import { Consumer, jsonDeserializer, jsonSerializer, Producer } from 'samsa/clients'

export class Billing {
  #consumer
  #producer
  #running

  constructor(bootstrapServers) {
    this.#consumer = new Consumer({
      bootstrapServers,
      groupId: 'billing',
      autoOffsetReset: 'earliest',
      enableAutoCommit: false,
      valueDeserializer: jsonDeserializer(),
    })
    this.#producer = new Producer({ bootstrapServers, valueSerializer: jsonSerializer() })
  }

  start() {
    this.#consumer.subscribe('orders')
    this.#running = this.#work()
  }

  async #work() {
    for await (const orders of this.#consumer.batches()) {
      const invoices = [...orders].map(({ key, value: { items } }) => {
        const total = items.reduce((sum, { price }) => sum + price, 0)
        return this.#producer.send({ topic: 'invoices', key, value: { total } })
      })
      await Promise.all(invoices)
      await this.#consumer.commitSync(orders.nextOffsets())
    }
  }

  async stop() {
    await this.#consumer.close()
    await this.#running
    await this.#producer.close()
  }
}
