/** The options of kafka-consumer-groups, and which of them go together. */
import { defineOptions, type Parsed } from '../support/options.ts'
import { printLine, type ToolIo } from '../support/tool.ts'

const ONLY_DESCRIBE = 'Only together with --describe.'

export const GROUPS_OPTIONS = defineOptions({
  about:
    'This tool helps to list all consumer groups, describe a consumer group, delete consumer ' +
    'group info, or reset consumer group offsets.',
  onUnreadable: 'throw',
  options: {
    'bootstrap-server': {
      argument: 'server to connect to',
      about: 'REQUIRED, except for --validate-regex: The broker to connect to, as host:port.',
    },
    group: { argument: 'consumer group', about: 'The group.' },
    topic: {
      argument: 'topic',
      about:
        'The topic whose offsets are deleted or reset. To reset those of some partitions only: ' +
        'topic:0,1,2. May be given several times.',
    },
    'all-topics': { about: 'Resets the offsets of all topics that the group has read.' },
    list: { about: 'Lists all groups.' },
    describe: { about: 'Shows how far a group has got, and how much it still has to read.' },
    'all-groups': { about: 'Does it for all groups.' },
    delete: { about: 'Deletes groups with their offsets: --group g1 --group g2.' },
    timeout: {
      argument: 'timeout (ms)',
      type: 'Long',
      default: '30000',
      about: 'How long a request may take, in milliseconds.',
    },
    'command-config': {
      argument: 'command config property file',
      about: 'A file with settings of the admin client.',
    },
    'reset-offsets': {
      about:
        'Sets where a group goes on reading; it must have no members. With --execute it is done, ' +
        'with --dry-run (or neither) only shown; --export prints it as CSV. Where to is said by ' +
        'one of --to-datetime, --by-duration, --to-earliest, --to-latest, --shift-by, ' +
        '--from-file, --to-current, --to-offset; for what, by --all-topics or --topic.',
    },
    'delete-offsets': { about: 'Deletes offsets of a group, of one or more topics.' },
    'dry-run': { about: 'Shows what --reset-offsets would do.' },
    execute: { about: 'Lets --reset-offsets do it.' },
    export: { about: 'Prints the new offsets as CSV.' },
    'to-offset': { argument: 'offset', type: 'Long', about: 'Resets to this offset.' },
    'from-file': {
      argument: 'path to CSV file',
      about: 'Resets to the offsets in a file, as --export prints it.',
    },
    'to-datetime': {
      argument: 'datetime',
      about: "Resets to the first records from then on. Format: 'YYYY-MM-DDThh:mm:ss.sss'",
    },
    'by-duration': {
      argument: 'duration',
      about: "Resets to the first records of this time up to now. Format: 'PnDTnHnMnS'",
    },
    'to-earliest': { about: 'Resets to the first records.' },
    'to-latest': { about: 'Resets to the end.' },
    'to-current': { about: 'Resets to where the group is.' },
    'shift-by': {
      argument: 'number-of-offsets',
      type: 'Long',
      about: 'Resets to so many records further on, or further back if it is negative.',
    },
    members: {
      availableWith: ['describe'],
      about: `Shows the members of the group. ${ONLY_DESCRIBE}`,
    },
    verbose: {
      availableWith: ['describe'],
      about: `Shows more of the offsets, the members or the state. ${ONLY_DESCRIBE}`,
    },
    offsets: {
      availableWith: ['describe'],
      about: `Shows the offsets and the lag, as if nothing was said. ${ONLY_DESCRIBE}`,
    },
    state: {
      type: 'String',
      optional: true,
      availableWith: ['describe', 'list'],
      about:
        'With --describe, shows the state of the group; with --list, that of all groups, or only ' +
        'groups in some: --state stable,empty.',
    },
    type: {
      type: 'String',
      optional: true,
      availableWith: ['list'],
      about:
        'With --list, shows the types of groups, or only groups of some: --type classic,consumer.',
    },
    'validate-regex': {
      argument: 'regex',
      about: 'Tells whether a regular expression can be subscribed to (RE2).',
    },
  },
})

export type GroupsOptions = Parsed<typeof GROUPS_OPTIONS>

export const ACTIONS = [
  'list',
  'describe',
  'delete',
  'reset-offsets',
  'delete-offsets',
  'validate-regex',
] as const

export const RESET_SCENARIOS = [
  'to-offset',
  'shift-by',
  'to-datetime',
  'by-duration',
  'to-earliest',
  'to-latest',
  'to-current',
  'from-file',
] as const

const NO_ACTION_WARNING =
  'WARN: No action will be performed as the --execute option is missing. ' +
  'In version 5.0, this command will require either --dry-run or --execute to be specified. ' +
  'You should add the --dry-run option explicitly if you are scripting this command and want to ' +
  'keep the current default behavior without prompting.'

/** Throws the ToolExit or ToolError for what makes no sense together. */
export function checkOptions(options: GroupsOptions, io: ToolIo): void {
  if (!options.has('validate-regex')) options.checkRequired('bootstrap-server')
  const hasGroups = options.has('group') || options.has('all-groups')
  if (options.has('describe')) checkDescribe(options, hasGroups)
  if (options.has('delete')) {
    if (!hasGroups) throw needsGroups(options, 'delete')
    if (options.has('topic')) {
      throw options.usage(
        'The consumer does not support topic-specific offset deletion from a consumer group.',
      )
    }
  }
  if (options.has('delete-offsets') && !(options.has('group') && options.has('topic'))) {
    throw options.usage('Option [delete-offsets] takes the following options: [group], [topic]')
  }
  if (options.has('reset-offsets')) checkReset(options, hasGroups, io)
  options.checkInvalid('group', ['all-groups'])
  options.checkInvalid('group', ['list'])
  options.checkInvalid('topic', ['list', 'describe'])
}

function needsGroups(options: GroupsOptions, name: string) {
  return options.usage(`Option [${name}] takes one of these options: [group], [all-groups]`)
}

function checkDescribe(options: GroupsOptions, hasGroups: boolean): void {
  if (!hasGroups) throw needsGroups(options, 'describe')
  const views = ['members', 'offsets', 'state'] as const
  if (views.filter(options.has).length > 1) {
    throw options.usage(
      'Option [describe] takes at most one of these options: [members], [offsets], [state]',
    )
  }
  if (options.has('state') && options.value('state') !== undefined) {
    throw options.usage('Option [describe] does not take a value for [state]')
  }
}

function checkReset(options: GroupsOptions, hasGroups: boolean, io: ToolIo): void {
  if (options.has('dry-run') && options.has('execute')) {
    throw options.usage('Option [reset-offsets] only accepts one of [execute] and [dry-run]')
  }
  if (!options.has('dry-run') && !options.has('execute')) {
    printLine(io.stderr, NO_ACTION_WARNING)
  }
  if (!hasGroups) throw needsGroups(options, 'reset-offsets')
  for (const name of RESET_SCENARIOS) {
    options.checkInvalid(
      name,
      RESET_SCENARIOS.filter((other) => other !== name),
    )
  }
}
