/** `kafka-topics.sh`: creates, lists, describes, changes and deletes topics. */
import type { Admin } from '../clients/admin/admin.ts'
import { KafkaError } from '../common/errors.ts'
import { ZERO_UUID } from '../protocol/schema.ts'
import { openAdmin } from './support/client-settings.ts'
import { SetupError } from './support/kafkas-words.ts'
import {
  firstFailure,
  ILLEGAL_ARGUMENT,
  isForeseen,
  javaText,
  printLine,
  type Tool,
  ToolError,
  type ToolIo,
  withTrace,
} from './support/tool.ts'
import { logError } from './support/tool-log.ts'
import { isInternalTopic, topicPattern } from './support/topic-filter.ts'
import { printTopics } from './topics/describe-topics.ts'
import { checkNewTopic, readAssignment, readConfigs, readNewTopic } from './topics/new-topic.ts'
import { readTopicsOptions, type TopicsOptions } from './topics/options.ts'

type Action = (admin: Admin, options: TopicsOptions, io: ToolIo) => Promise<void>

/** The topics that the options are about, by name. */
async function findTopics(admin: Admin, options: TopicsOptions): Promise<string[]> {
  const withoutInternal = options.has('exclude-internal')
  const all = await admin.listTopics({ includeInternal: !withoutInternal })
  const text = options.value('topic')
  const pattern = text === undefined ? /^/ : topicPattern(text)
  const isWanted = (name: string) =>
    pattern.test(name) && !(withoutInternal && isInternalTopic(name))
  return all
    .map(({ name }) => name)
    .filter(isWanted)
    .sort()
}

/** As `findTopics`; there must be one, unless `--if-exists` says that it does not matter. */
async function findExisting(admin: Admin, options: TopicsOptions): Promise<string[]> {
  const topics = await findTopics(admin, options)
  const text = options.value('topic') ?? ''
  if (text !== '' && topics.length === 0 && !options.has('if-exists')) {
    throw new ToolError(`Topic '${text}' does not exist as expected`, ILLEGAL_ARGUMENT)
  }
  return topics
}

const create: Action = async (admin, options, io) => {
  const topic = options.required('topic')
  const newTopic = readNewTopic(options)
  if (/[._]/.test(topic)) {
    printLine(
      io.stdout,
      "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore " +
        "('_') could collide. To avoid issues it is best to use either, but not both.",
    )
  }
  checkNewTopic(newTopic)
  try {
    await admin.createTopics([newTopic])
  } catch (error) {
    const isThere = error instanceof KafkaError && error.errorName === 'TOPIC_ALREADY_EXISTS'
    if (isThere && options.has('if-not-exists')) return
    throw error
  }
  printLine(io.stdout, `Created topic ${topic}.`)
}

const list: Action = async (admin, options, io) => {
  printLine(io.stdout, (await findTopics(admin, options)).join('\n'))
}

const alter: Action = async (admin, options) => {
  const totalCount = options.number('partitions')!
  const assignments = readAssignment(options)
  readConfigs(options)
  const topics = await findExisting(admin, options)
  if (topics.length === 0) return
  const described = await admin.describeTopics(topics)
  await admin.createPartitions(
    topics.map((topic) => {
      if (assignments === undefined) return { topic, totalCount }
      const present = described.get(topic)!.partitions.length
      return { topic, totalCount, assignments: assignments.slice(present) }
    }),
  )
}

const describe: Action = async (admin, options, io) => {
  const topicId = options.value('topic-id')
  if (topicId === undefined || topicId === ZERO_UUID) {
    await printTopics(admin, await findExisting(admin, options), options, io)
    return
  }
  const all = await admin.listTopics({ includeInternal: !options.has('exclude-internal') })
  const found = all.filter((topic) => topic.topicId === topicId).map(({ name }) => name)
  if (found.length === 0 && !options.has('if-exists')) {
    throw new ToolError(`TopicId '${topicId}' does not exist as expected`, ILLEGAL_ARGUMENT)
  }
  await printTopics(admin, found, options, io)
}

const remove: Action = async (admin, options) => {
  await admin.deleteTopics(await findExisting(admin, options))
}

const ACTIONS = { create, alter, list, describe, delete: remove } as const

export const kafkaTopics: Tool = withTrace(async (args, io) => {
  const options = readTopicsOptions(args, io)
  await using admin = openAdmin({
    bootstrapServer: options.value('bootstrap-server'),
    commandConfig: options.value('command-config'),
    io,
  })
  const names = Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]
  try {
    await ACTIONS[names.find(options.has)!](admin, options, io)
    return 0
  } catch (thrown) {
    const error = firstFailure(thrown)
    if (!isForeseen(error) || error instanceof SetupError) throw error
    printLine(io.stdout, `Error while executing topic command : ${error.message}`)
    logError(io, 'org.apache.kafka.tools.TopicCommand', `${javaText(error)}\n`)
    return 1
  }
})
