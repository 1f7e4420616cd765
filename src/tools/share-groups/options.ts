/** The options of kafka-share-groups, and which of them go together. */
import { defineOptions, type Parsed } from '../support/options.ts'

const ONLY_DESCRIBE = 'Only together with --describe.'

export const SHARE_GROUPS_OPTIONS = defineOptions({
  about: 'This tool helps to list, describe, reset and delete share groups.',
  onUnreadable: 'throw',
  options: {
    'bootstrap-server': {
      argument: 'server to connect to',
      about: 'REQUIRED: The broker to connect to, as host:port.',
    },
    group: { argument: 'share group', about: 'The group.' },
    topic: {
      argument: 'topic',
      about:
        'The topic whose offsets are deleted or reset. To reset those of some partitions only: ' +
        'topic:0,1,2. May be given several times.',
    },
    'all-topics': { about: 'Resets the offsets of all topics of the group.' },
    list: { about: 'Lists all share groups.' },
    describe: { about: 'Shows how far a group has got, its members or its state.' },
    'all-groups': { about: 'Does it for all share groups.' },
    delete: { about: 'Deletes share groups.' },
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
        'Sets where a group goes on; it must have no members. With --execute it is done, with ' +
        '--dry-run only shown. Where to is said by --to-datetime, --to-earliest or --to-latest; ' +
        'for what, by --all-topics or --topic.',
    },
    'delete-offsets': { about: 'Deletes offsets of a group, of one or more topics.' },
    'dry-run': { about: 'Shows what --reset-offsets would do.' },
    execute: { about: 'Lets --reset-offsets do it.' },
    'to-datetime': {
      argument: 'datetime',
      about: "Resets to the first records from then on. Format: 'YYYY-MM-DDThh:mm:ss.sss'",
    },
    'to-earliest': { about: 'Resets to the first records.' },
    'to-latest': { about: 'Resets to the end.' },
    members: { availableWith: ['describe'], about: `Shows the members. ${ONLY_DESCRIBE}` },
    offsets: {
      availableWith: ['describe'],
      about: `Shows the offsets, as if nothing was said. ${ONLY_DESCRIBE}`,
    },
    state: {
      type: 'String',
      optional: true,
      availableWith: ['describe', 'list'],
      about:
        'With --describe, shows the state of the group; with --list, that of all groups, or only ' +
        'groups in some: Empty, Stable, Dead.',
    },
    verbose: {
      availableWith: ['describe'],
      about: `Shows more of the offsets, the members or the state. ${ONLY_DESCRIBE}`,
    },
  },
})

export type ShareGroupsOptions = Parsed<typeof SHARE_GROUPS_OPTIONS>

export const ACTIONS = ['list', 'describe', 'delete', 'reset-offsets', 'delete-offsets'] as const
const SCENARIOS = ['to-datetime', 'to-earliest', 'to-latest'] as const

/** Throws the ToolExit or ToolError for what makes no sense together. */
export function checkOptions(options: ShareGroupsOptions): void {
  options.checkRequired('bootstrap-server')
  if (options.has('describe')) checkDescribe(options)
  if (options.has('delete')) checkDelete(options)
  if (options.has('delete-offsets') && !(options.has('group') && options.has('topic'))) {
    throw options.usage('Option [delete-offsets] takes the following options: [group], [topic]')
  }
  if (options.has('reset-offsets')) checkReset(options)
  options.checkInvalid('group', ['all-groups'])
  options.checkInvalid('group', ['list'])
  options.checkInvalid('topic', ['list', 'describe'])
}

function checkDescribe(options: ShareGroupsOptions): void {
  if (!options.has('group') && !options.has('all-groups')) {
    throw options.usage('Option [describe] takes one of these options: [all-groups], [group]')
  }
  if ((['members', 'offsets', 'state'] as const).filter(options.has).length > 1) {
    throw options.usage(
      'Option [describe] takes at most one of these options: [members], [offsets], [state]',
    )
  }
  if (options.has('state') && options.value('state') !== undefined) {
    throw options.usage('Option [describe] does not take a value for [state]')
  }
}

function checkDelete(options: ShareGroupsOptions): void {
  const [one, all] = [options.has('group'), options.has('all-groups')]
  if (!one && !all) {
    throw options.usage('Option [delete] takes the options [group] or [all-groups]')
  }
  if (one && all) {
    throw options.usage('Option [delete] takes either [group] or [all-groups], not both.')
  }
  if (options.has('topic')) {
    throw options.usage('Option [delete] does not take the option: [topic]')
  }
}

function checkReset(options: ShareGroupsOptions): void {
  const [dryRun, execute] = [options.has('dry-run'), options.has('execute')]
  if (dryRun && execute) {
    throw options.usage('Option [reset-offsets] only accepts one of [execute] and [dry-run]')
  }
  if (!dryRun && !execute) {
    throw options.usage('Option [reset-offsets] takes the option: [execute] or [dry-run]')
  }
  if (!options.has('group')) {
    throw options.usage('Option [reset-offsets] takes the option: [group]')
  }
  if (!options.has('topic') && !options.has('all-topics')) {
    throw options.usage('Option [reset-offsets] takes one of these options: [all-topics], [topic]')
  }
  if (!SCENARIOS.some(options.has)) {
    const names = SCENARIOS.map((name) => `[${name}]`).join(', ')
    throw options.usage(`Option [reset-offsets] takes one of these options: ${names}`)
  }
  for (const name of SCENARIOS) {
    options.checkInvalid(
      name,
      SCENARIOS.filter((other) => other !== name),
    )
  }
}
