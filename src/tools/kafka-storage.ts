/**
 * `kafka-storage.sh`: gives folders to a broker of a cluster before it starts for the first time,
 * and tells whose folders are.
 *
 * A broker of ours does this by itself. To format its folders is to choose the ids instead of
 * having them made. Kafka's tool also puts the first records of a KRaft quorum there, of which we
 * have none: what would go into them is refused, rather than forgotten.
 */
import { statSync } from 'node:fs'
import type { BrokerConfig } from '../common/config/broker-config.ts'
import { createBrokerConfig } from '../common/config/broker-config.ts'
import { ConfigError } from '../common/config/config-value.ts'
import { environmentConfig } from '../common/config/environment.ts'
import { DiskError } from '../common/disk.ts'
import { SystemRandom } from '../common/random.ts'
import { SystemDisk } from '../common/system-disk.ts'
import {
  establishOwner,
  type MetaProperties,
  readMetaProperties,
} from '../storage/meta-properties.ts'
import { STORAGE_PARSER } from './storage/arguments.ts'
import { type Namespace, parseArguments } from './support/argparse.ts'
import { readSettings as readProperties } from './support/client-settings.ts'
import { printLine, type Tool, ToolError, ToolExit, type ToolIo } from './support/tool.ts'
import { logError, withClassName } from './support/tool-log.ts'

/** What Kafka calls the format of metadata in the release that ours is like. */
const RELEASE = '4.2-IV1'
/** The id that a broker takes which is not told its own. */
const FIRST_BROKER_ID = 1

/** What in Kafka tells of folders that cannot be read. */
const READER = 'org.apache.kafka.metadata.properties.MetaPropertiesEnsemble'

interface Settings {
  readonly config: BrokerConfig
  /** In the order of their names. */
  readonly directories: readonly string[]
  /** The first of `log.dirs`, which has the metadata as well. */
  readonly metadataDirectory: string
}

function readSettings(path: string): Settings {
  const entries = new Map([...readProperties(path), ...environmentConfig(process.env)])
  try {
    const config = createBrokerConfig(entries)
    const directories = config.get('log.dirs') ?? config.get('log.dir')
    return {
      config,
      directories: [...new Set(directories)].sort(),
      metadataDirectory: directories[0] ?? '',
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const className = 'org.apache.kafka.common.config.ConfigException'
    throw new ToolError(error.message, { className })
  }
}

type Found = { readonly properties: MetaProperties | undefined } | { readonly problem: string }

/** What is in a folder, which may not be there yet. */
function look(directory: string): Found {
  try {
    return { properties: readMetaProperties(new SystemDisk(), directory) }
  } catch (error) {
    return { problem: (error as Error).message }
  }
}

function isDirectory(path: string): boolean | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory()
}

/** Ends the tool with nothing but a message. */
function failure(message: string): ToolExit {
  return new ToolExit(1, { stderr: `${message}\n` })
}

async function format(args: Namespace, io: ToolIo): Promise<number> {
  const { config, directories, metadataDirectory } = readSettings(args.string('config')!)
  refuseWhatHasNoMeaning(args)
  const configured = config.get('node.id')
  const owner = {
    clusterId: args.string('cluster_id')!,
    brokerId: configured === -1 ? FIRST_BROKER_ID : configured,
  }
  const usable = directories.filter((directory) => isDirectory(directory) !== false)
  for (const directory of directories.filter((one) => !usable.includes(one))) {
    const path = `${directory}/meta.properties`
    const className = 'java.nio.file.FileSystemException'
    const why = new ToolError(`${path}: Not a directory`, { className })
    logError(io, READER, `Error while reading meta.properties file ${path}`, why)
    printLine(io.stdout, `I/O error trying to read log directory ${directory}. Ignoring...`)
  }
  const found = usable.map((directory) => [directory, propertiesOf(directory)] as const)
  const taken = found.filter(([, properties]) => properties !== undefined)
  for (const [directory, properties] of taken) checkOwner(directory, properties!, owner)
  if (taken.length > 0 && !args.flag('ignore_formatted')) {
    throw failure(
      `Log directory ${taken[0]![0]} is already formatted. ` +
        'Use --ignore-formatted to ignore this directory and format the others.',
    )
  }
  if (usable.length === 0) throw failure('No available log directories to format.')
  if (taken.length === usable.length) {
    printLine(io.stdout, 'All of the log directories are already formatted.')
    return 0
  }
  const metadata = args.flag('standalone')
    ? 'dynamic metadata voter directory'
    : 'metadata directory'
  for (const [directory, properties] of found) {
    if (properties !== undefined) continue
    const what = directory === metadataDirectory ? metadata : 'data directory'
    printLine(io.stdout, `Formatting ${what} ${directory} with metadata.version ${RELEASE}.`)
    await claim(directory, owner)
  }
  return 0
}

function refuseWhatHasNoMeaning(args: Namespace): void {
  const refused: readonly (readonly [name: string, why: string])[] = [
    ['add_scram', 'kafka-configs sets passwords when the broker runs'],
    ['feature', 'the features of a new cluster are at their highest; kafka-features changes them'],
    ['initial_controllers', 'there are no controllers but the broker; use --standalone'],
  ]
  for (const [name, why] of refused) {
    const flag = `--${name.replaceAll('_', '-')}`
    if (args.has(name)) throw failure(`${flag} is not supported: ${why}.`)
  }
  const release = args.string('release_version')
  if (release !== undefined && release !== RELEASE && release !== '4.2') {
    throw failure(`Unsupported release version ${release}: there is only ${RELEASE}.`)
  }
}

function propertiesOf(directory: string): MetaProperties | undefined {
  const found = look(directory)
  if ('problem' in found) throw new ToolError(found.problem)
  return found.properties
}

function checkOwner(
  directory: string,
  { clusterId, brokerId }: MetaProperties,
  owner: { readonly clusterId: string; readonly brokerId: number },
): void {
  const path = `${directory}/meta.properties`
  if (clusterId !== undefined && clusterId !== owner.clusterId) {
    const read = `Expected ${owner.clusterId}, but read ${clusterId}`
    throw new ToolError(`Invalid cluster.id in: ${path}. ${read}`)
  }
  if (brokerId !== undefined && brokerId !== owner.brokerId) {
    throw new ToolError(
      `Stored node id ${brokerId} doesn't match previous node id ${owner.brokerId} in ${path}. ` +
        'If you moved your data, make sure your configured node id matches. If you intend to ' +
        'create a new node, you should remove all data in your data directories.',
    )
  }
}

async function claim(
  directory: string,
  owner: { readonly clusterId: string; readonly brokerId: number },
): Promise<void> {
  const disk = new SystemDisk()
  try {
    disk.makeDirectory(directory)
    await establishOwner(disk, new SystemRandom(), directory, owner)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw failure(`Error while writing meta.properties file ${directory}: ${error.message}`)
  }
}

function info(args: Namespace, io: ToolIo): number {
  const { directories } = readSettings(args.string('config')!)
  const problems: string[] = []
  let first: MetaProperties | undefined
  const present = directories.filter((directory) => {
    const isThere = isDirectory(directory)
    if (isThere === undefined) problems.push(`${directory} does not exist`)
    else if (!isThere) problems.push(`${directory} is not a directory`)
    return isThere === true
  })
  for (const directory of present) {
    const found = look(directory)
    if ('problem' in found) {
      problems.push(`Error loading ${directory}/meta.properties: ${found.problem}`)
    } else if (found.properties === undefined) problems.push(`${directory} is not formatted.`)
    else if (first === undefined) first = found.properties
    else if (first.clusterId !== found.properties.clusterId) {
      problems.push('Mismatched cluster IDs between storage directories.')
    } else if (first.brokerId !== found.properties.brokerId) {
      problems.push('Mismatched node IDs between storage directories.')
    }
  }
  printList(io, ['Found log directory:', 'Found log directories:'], present)
  if (first !== undefined) {
    printLine(io.stdout, `Found metadata: ${metadataText(first)}\n`)
  }
  printList(io, ['Found problem:', 'Found problems:'], problems)
  return problems.length > 0 ? 1 : 0
}

function printList(io: ToolIo, [one, several]: [string, string], items: readonly string[]): void {
  if (items.length === 0) return
  printLine(io.stdout, items.length === 1 ? one : several)
  for (const item of items) printLine(io.stdout, `  ${item}`)
  printLine(io.stdout)
}

function metadataText({ version, clusterId, brokerId, directoryId }: MetaProperties): string {
  const entries: [string, string | number | undefined][] = [
    ['broker.id', version === 0 ? brokerId : undefined],
    ['cluster.id', clusterId],
    ['directory.id', directoryId],
    ['node.id', version === 1 ? brokerId : undefined],
    ['version', version],
  ]
  const shown = entries.filter(([, value]) => value !== undefined)
  return `{${shown.map(([name, value]) => `${name}=${value}`).join(', ')}}`
}

/** As Kafka makes them: none begins with a dash, which would look like an option. */
function randomUuid(): string {
  const random = new SystemRandom()
  for (;;) {
    const id = random.bytes(16).toString('base64url')
    if (!id.startsWith('-')) return id
  }
}

function unsupported(command: string): ToolExit {
  const why = 'the versions of metadata that it is about are those of KRaft'
  return failure(`${command} is not supported: ${why}.`)
}

export const kafkaStorage: Tool = async (args, io) => {
  const parsed = parseArguments(STORAGE_PARSER, args)
  const run = withClassName(async () => {
    switch (parsed.command) {
      case 'info':
        return info(parsed, io)
      case 'format':
        return await format(parsed, io)
      case 'random-uuid':
        printLine(io.stdout, randomUuid())
        return 0
      default:
        throw unsupported(parsed.command!)
    }
  })
  return await run(args, io)
}
