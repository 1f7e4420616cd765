/** What kafka-storage is told on its command line. */
import type { ArgumentSpec, ParserSpec } from '../support/argparse.ts'

const config: ArgumentSpec = {
  flags: ['--config', '-c'],
  required: true,
  help: "the broker's settings, a server.properties",
}

const release: ArgumentSpec = {
  flags: ['--release-version', '-r'],
  help: 'the release whose features are in force at first; there is only 4.2-IV1',
}

const feature: ArgumentSpec = {
  flags: ['--feature', '-f'],
  action: 'append',
  help: 'a feature with its level, as in group.version=1',
}

export const STORAGE_PARSER: ParserSpec = {
  program: 'kafka-storage',
  description: 'Looks after the folders that a broker keeps its data in.',
  defaultHelp: true,
  helpExitCode: 0,
  filePrefix: '@',
  arguments: [],
  commands: {
    parsers: {
      info: { help: 'Show whose the folders are.', arguments: [config] },
      format: {
        help: 'Give new folders to a broker of a cluster.',
        arguments: [
          config,
          { flags: ['--cluster-id', '-t'], required: true, help: 'the id of the cluster' },
          {
            flags: ['--add-scram', '-S'],
            action: 'append',
            help: 'the password of a user; not supported, kafka-configs sets them',
          },
          {
            flags: ['--ignore-formatted', '-g'],
            action: 'storeTrue',
            help: 'pass over the folders that have been given away already, rather than fail',
          },
          release,
          feature,
          {
            exclusive: true,
            group: [
              {
                flags: ['--standalone', '-s'],
                action: 'storeTrue',
                help: 'the broker is its own controller, as it always is',
              },
              {
                flags: ['--no-initial-controllers', '-N'],
                action: 'storeTrue',
                help: 'accepted, as there are no other controllers',
              },
              {
                flags: ['--initial-controllers', '-I'],
                help: 'not supported, as there are no other controllers',
              },
            ],
          },
        ],
      },
      'version-mapping': {
        help: 'Show the features of a release; not supported.',
        arguments: [release],
      },
      'feature-dependencies': {
        help: 'Show what features depend on; not supported.',
        arguments: [{ ...feature, required: true }],
      },
      'random-uuid': { help: 'Make an id for a cluster.', arguments: [] },
    },
  },
}
