/** The coordinators' topics in this broker's own partitions. */
import { ErrorCode, errorName, KafkaError } from '../common/errors.ts'
import type {
  CoordinatorStorage,
  StagedAppend,
} from '../coordinator/runtime/coordinator-storage.ts'
import type { ReplicaManager } from './replica-manager.ts'

const READ_BYTES = 4 * 1024 * 1024

export function coordinatorStorage(
  replicaManager: ReplicaManager,
  /** How long an append may wait for the replicas, in milliseconds. */
  commitTimeoutMs: () => number,
): CoordinatorStorage {
  return {
    append(topic, partitionIndex, records): StagedAppend {
      const entry = { topic, partitionIndex, records }
      const { info, outcome } = replicaManager.appendAsCoordinator(entry, commitTimeoutMs())
      const committed = new Promise<void>((resolve, reject) => {
        outcome.onComplete(([result]) => {
          const { errorCode, errorMessage } = result!
          if (errorCode === ErrorCode.NONE) resolve()
          else reject(new KafkaError(errorName(errorCode), errorMessage ?? undefined))
        })
      })
      return { baseOffset: info.firstOffset, committed }
    },

    async *read(topic, partitionIndex) {
      const { log } = replicaManager.partitionToRead(topic, partitionIndex)
      const end = log.logEndOffset
      let offset = log.logStartOffset
      while (offset < end) {
        const read = await log.read(offset, READ_BYTES, { maxOffset: end, minOneBatch: true })
        try {
          if (read.nextOffset === offset) return
          yield read.chunks
        } finally {
          read.release()
        }
        offset = read.nextOffset
      }
    },
  }
}
