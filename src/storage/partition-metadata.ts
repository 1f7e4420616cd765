/**
 * The file `partition.metadata` in a log's folder: which topic the log is of. A topic that is
 * deleted and created again has the same name, but another id.
 *
 * ```
 * version: 0
 * topic_id: Tz0kwXdmTAGWnZAoFDb5wA
 * ```
 */
import { type Disk, type DiskFile, readWholeFile } from '../common/disk.ts'
import { PARTITION_METADATA } from './file-names.ts'

/** The topic's id, or undefined where the file is missing or not what it should be. */
export function readPartitionMetadata(disk: Disk, directory: string): string | undefined {
  const text = readWholeFile(disk, `${directory}/${PARTITION_METADATA}`)?.toString('latin1')
  return /^version: 0\r?\ntopic_id: ([A-Za-z0-9_-]{22})\s*$/.exec(text ?? '')?.[1]
}

/** Writes the file, not yet synced. The caller syncs and closes it. */
export function writePartitionMetadata(disk: Disk, directory: string, topicId: string): DiskFile {
  const file = disk.open(`${directory}/${PARTITION_METADATA}`, { create: true })
  try {
    file.truncate(0)
    file.writeSync([Buffer.from(`version: 0\ntopic_id: ${topicId}\n`, 'latin1')], 0)
  } catch (error) {
    file.close()
    throw error
  }
  return file
}
