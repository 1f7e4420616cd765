/**
 * Producer ids: each idempotent producer gets one that no other has had. Brokers take blocks of a
 * thousand from the metadata store and give them out; what is left of a block when a broker stops
 * is never used.
 */
import { isMetadataError, type MetadataStore } from '../metadata/metadata-store.ts'
import { decodeProducerIdBlock, encodeProducerIdBlock, paths } from '../metadata/znodes.ts'
import { asStorageError } from './storage-errors.ts'

const BLOCK_SIZE = 1000

export class ProducerIds {
  readonly #store: MetadataStore
  readonly #brokerId: number
  #next = 0
  #end = 0
  #allocating: Promise<void> | undefined

  constructor(options: { store: MetadataStore; brokerId: number }) {
    this.#store = options.store
    this.#brokerId = options.brokerId
  }

  /** A producer id that has never been given out. */
  async next(): Promise<number> {
    while (this.#next === this.#end) {
      this.#allocating ??= this.#allocate().finally(() => {
        this.#allocating = undefined
      })
      await this.#allocating
    }
    return this.#next++
  }

  /** Claims the next block, by compare-and-set against whoever else does. */
  async #allocate(): Promise<void> {
    for (;;) {
      const { data, stat } = await this.#store.get(paths.producerIdBlock)
      const firstId = data.length === 0 ? 0 : decodeProducerIdBlock(data).lastId + 1
      const lastId = firstId + BLOCK_SIZE - 1
      const block = encodeProducerIdBlock({ brokerId: this.#brokerId, firstId, lastId })
      try {
        await asStorageError(this.#store.set(paths.producerIdBlock, block, stat.version))
      } catch (error) {
        if (isMetadataError(error, 'BAD_VERSION')) continue
        throw error
      }
      this.#next = firstId
      this.#end = lastId + 1
      return
    }
  }
}
