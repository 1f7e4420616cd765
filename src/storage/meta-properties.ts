/**
 * The file `meta.properties` in each log directory: whose directory it is. Kafka refuses a
 * directory of another broker or another cluster, and so do we: two brokers that take turns on one
 * folder destroy it.
 *
 * Version 0 (ZooKeeper) has `broker.id` and `cluster.id`; version 1 (KRaft) has `node.id`,
 * `cluster.id` and `directory.id` (KIP-631, KIP-858). Both are read; a file that is there is kept.
 */
import { ConfigError } from '../common/config/config-value.ts'
import { type Disk, readWholeFile, replaceFile } from '../common/disk.ts'
import type { Random } from '../common/random.ts'
import { META_PROPERTIES } from './file-names.ts'

export interface MetaProperties {
  readonly version: 0 | 1
  readonly clusterId: string | undefined
  readonly brokerId: number | undefined
  readonly directoryId: string | undefined
}

/** Who uses a directory. */
export interface Owner {
  readonly clusterId: string
  readonly brokerId: number
}

/** Reads the file; undefined where there is none. Throws an Error where it makes no sense. */
export function readMetaProperties(disk: Disk, directory: string): MetaProperties | undefined {
  const path = `${directory}/${META_PROPERTIES}`
  const text = readWholeFile(disk, path)?.toString('latin1')
  if (text === undefined) return undefined
  const values = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^#!=:\s]+)\s*[=:]\s*(.*?)\s*$/.exec(line)
    if (match !== null) values.set(match[1]!, match[2]!.replaceAll('\\', ''))
  }
  const version = Number(values.get('version') ?? '0')
  if (version !== 0 && version !== 1) throw new Error(`${path} has unknown version ${version}`)
  const id = values.get(version === 0 ? 'broker.id' : 'node.id')
  if (id !== undefined && !/^-?\d+$/.test(id)) throw new Error(`${path} has the broker id "${id}"`)
  return {
    version,
    clusterId: values.get('cluster.id'),
    brokerId: id === undefined ? undefined : Number(id),
    directoryId: values.get('directory.id'),
  }
}

/** Makes a directory `owner`'s, or throws a ConfigError which says that it is another's. */
export async function establishOwner(
  disk: Disk,
  random: Random,
  directory: string,
  owner: Owner,
): Promise<void> {
  const properties = readMetaProperties(disk, directory)
  if (properties === undefined) {
    const directoryId = random.bytes(16).toString('base64url')
    return writeMetaProperties(disk, directory, { ...owner, directoryId })
  }
  const { clusterId, brokerId } = properties
  if (clusterId !== undefined && clusterId !== owner.clusterId) {
    throw new ConfigError(
      `${directory} belongs to the cluster ${clusterId}, and this one is ${owner.clusterId}: ` +
        'check log.dirs, or remove the directory if it is not needed',
    )
  }
  if (brokerId !== undefined && brokerId !== owner.brokerId) {
    throw new ConfigError(
      `${directory} belongs to the broker ${brokerId}, and this one is ${owner.brokerId}: ` +
        'check node.id and log.dirs',
    )
  }
}

/** Writes a version 1 file, durably. */
function writeMetaProperties(
  disk: Disk,
  directory: string,
  properties: Owner & { readonly directoryId: string },
): Promise<void> {
  const lines = [
    '#',
    `cluster.id=${properties.clusterId}`,
    `directory.id=${properties.directoryId}`,
    `node.id=${properties.brokerId}`,
    'version=1',
  ]
  const bytes = Buffer.from(`${lines.join('\n')}\n`, 'latin1')
  return replaceFile(disk, `${directory}/${META_PROPERTIES}`, bytes)
}
