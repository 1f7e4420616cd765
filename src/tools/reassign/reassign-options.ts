/** The command line of `kafka-reassign-partitions.sh`. */
import { defineOptions, type Parsed } from '../support/options.ts'

export const OPTIONS = defineOptions({
  about: 'This tool helps to move topic partitions between replicas.',
  onUnreadable: 'throw',
  options: {
    verify: {
      about:
        'Say how far the reassignment of --reassignment-json-file has got, and remove its ' +
        'throttle if it is done.',
    },
    generate: { about: 'Propose a reassignment, without doing anything.' },
    execute: { about: 'Begin the reassignment of --reassignment-json-file.' },
    cancel: { about: 'Call off a reassignment that is under way.' },
    list: { about: 'List all reassignments that are under way.' },
    'bootstrap-server': {
      argument: 'Server(s) to use for bootstrapping',
      optional: true,
      about: 'The broker to connect to, as host:port.',
    },
    'command-config': {
      argument: 'Admin client property file',
      about: 'A file with settings of the admin client.',
    },
    'reassignment-json-file': {
      argument: 'manual assignment json file path',
      about:
        'The file with the reassignment:\n' +
        '{"partitions":\n  [{"topic": "foo",\n    "partition": 1,\n    "replicas": [1,2,3],\n' +
        '    "log_dirs": ["dir1","dir2","dir3"] }],\n"version":1\n}\n' +
        '"log_dirs" may be left out; a folder is "any" or an absolute path on the broker.',
    },
    'topics-to-move-json-file': {
      argument: 'topics to reassign json file path',
      about:
        'The file with the topics to propose a reassignment for:\n' +
        '{"topics":\n  [{"topic": "foo"},{"topic": "foo1"}],\n"version":1\n}',
    },
    'broker-list': {
      argument: 'brokerlist',
      about: 'The brokers to move partitions to: 0,1,2. Required with --generate.',
    },
    'bootstrap-controller': {
      argument: 'bootstrap controller to connect to',
      optional: true,
      about: 'The controller to connect to, in place of a broker; with --cancel and --list.',
    },
    'disable-rack-aware': { about: 'Propose without regard to racks.' },
    'disallow-replication-factor-change': {
      about: 'Refuse to change how many replicas a partition has; with --execute.',
    },
    throttle: {
      argument: 'throttle',
      type: 'Long',
      default: '-1',
      about: 'Limit what is copied between brokers, in bytes per second; at least 1 KB/s.',
    },
    'replica-alter-log-dirs-throttle': {
      argument: 'replicaAlterLogDirsThrottle',
      type: 'Long',
      default: '-1',
      about:
        'Limit what is copied between folders of one broker, in bytes per second; at least 1 KB/s.',
    },
    timeout: {
      argument: 'timeout',
      type: 'Long',
      default: '10000',
      about: 'How long to wait, in ms, until moves between folders can begin.',
    },
    additional: {
      about: 'Execute besides what is under way; also to change the throttle of that.',
    },
    'preserve-throttles': { about: 'Leave the throttles of brokers and topics as they are.' },
  },
})

export type ReassignOptions = Parsed<typeof OPTIONS>
type Name = Parameters<ReassignOptions['has']>[0]

const ACTIONS = ['generate', 'execute', 'verify', 'cancel', 'list'] as const
type Action = (typeof ACTIONS)[number]

const REQUIRED: Readonly<Record<Action, readonly Name[]>> = {
  generate: ['topics-to-move-json-file', 'broker-list'],
  execute: ['reassignment-json-file'],
  verify: ['reassignment-json-file'],
  cancel: ['reassignment-json-file'],
  list: [],
}

const PERMITTED: Readonly<Record<Action, readonly Name[]>> = {
  generate: ['bootstrap-server', 'command-config', 'disable-rack-aware'],
  execute: [
    ...(['additional', 'bootstrap-server', 'command-config', 'throttle'] as const),
    ...(['replica-alter-log-dirs-throttle', 'timeout'] as const),
    'disallow-replication-factor-change',
  ],
  verify: ['bootstrap-server', 'command-config', 'preserve-throttles'],
  cancel: ['command-config', 'preserve-throttles', 'timeout'],
  list: ['command-config'],
}

/** Checks that the options make sense together. Throws ToolExit. */
export function readCommandLine(options: ReassignOptions): ReassignOptions {
  const actions = ACTIONS.filter(options.has)
  const [action] = actions
  if (action === undefined || actions.length > 1) {
    const names = ACTIONS.map((name) => `--${name}`).join(', ')
    throw options.usage(`Command must include exactly one action: ${names}`)
  }
  const hasServer = options.has('bootstrap-server')
  const hasController = options.has('bootstrap-controller')
  if (hasServer && hasController) {
    throw options.usage("Please don't specify both --bootstrap-server and --bootstrap-controller")
  }
  if (!hasServer && !hasController) {
    throw options.usage('Please specify either --bootstrap-server or --bootstrap-controller')
  }
  options.checkRequired(...REQUIRED[action])
  const server = hasServer ? 'bootstrap-server' : 'bootstrap-controller'
  const isForEither = action === 'cancel' || action === 'list'
  const permitted: readonly Name[] = [
    ...[action, ...REQUIRED[action], ...PERMITTED[action]],
    ...(isForEither ? ([server] as const) : []),
  ]
  for (const name of options.names()) {
    if (permitted.includes(name)) continue
    throw options.usage(`Option "[${name}]" can't be used with action "[${action}]"`)
  }
  return options
}
