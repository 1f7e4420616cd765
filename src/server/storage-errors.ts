/** What clients are told of a metadata store that could not carry out a write. */
import { KafkaError } from '../common/errors.ts'
import { isMetadataError } from '../metadata/metadata-store.ts'

/** As `write`, but a store whose disk is full, say, is a KAFKA_STORAGE_ERROR to the client. */
export async function asStorageError<T>(write: Promise<T>): Promise<T> {
  try {
    return await write
  } catch (error) {
    if (!isMetadataError(error, 'SYSTEM_ERROR')) throw error
    throw new KafkaError('KAFKA_STORAGE_ERROR', undefined, { cause: error })
  }
}
