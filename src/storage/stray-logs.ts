/**
 * Logs of topics that are gone: a topic was deleted while the directory of one of its logs was
 * offline, and perhaps created again under the same name, with its log in another directory. What
 * is left of the old topic must not be taken for the new one's, nor be deleted, since nobody has
 * looked at it: its folder is renamed, as Kafka does, to `<topic>-<partition>.<id>-stray`, and left
 * alone.
 */
import type { Disk } from '../common/disk.ts'
import type { Logger } from '../common/logger.ts'
import type { Random } from '../common/random.ts'
import { parseDirectoryName, specialDirectoryName } from './file-names.ts'
import { readPartitionMetadata } from './partition-metadata.ts'

/**
 * Renames the folders in a log directory whose `partition.metadata` names another topic id than the
 * topic of that name has. Throws DiskErrors as they come.
 */
export async function setAsideStrays(
  world: { disk: Disk; random: Random; logger: Logger },
  directory: string,
  topicIds: ReadonlyMap<string, string>,
): Promise<void> {
  const { disk, random, logger } = world
  let isChanged = false
  for (const name of disk.list(directory)) {
    const parsed = parseDirectoryName(name)
    if (parsed.kind !== 'partition') continue
    const { topic, partition } = parsed
    const expected = topicIds.get(topic)
    const found = readPartitionMetadata(disk, `${directory}/${name}`)
    if (expected === undefined || found === undefined || found === expected) continue
    const stray = specialDirectoryName(topic, partition, random.bytes(16).toString('hex'), 'stray')
    disk.rename(`${directory}/${name}`, `${directory}/${stray}`)
    isChanged = true
    logger.warn(
      `${directory}/${name} is of an earlier topic ${topic}, with the id ${found}; it is set ` +
        `aside as ${stray}`,
    )
  }
  if (isChanged) await disk.syncDirectory(directory)
}
