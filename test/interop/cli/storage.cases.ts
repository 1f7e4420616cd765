/** kafka-storage: folders that are given to a broker. */
import { mkdirSync, writeFileSync } from 'node:fs'
import type { CliCase, Command, Mask, Side } from './compare.ts'

const run = (...args: string[]): Command => ({ tool: 'kafka-storage', args })
const CLUSTER = 'MkU3OEVBNTcwNTJENDM2Qk'
const format = (file: string, ...args: string[]): Command =>
  run('format', '-t', CLUSTER, '-c', `{file:${file}}`, ...args)

/** Settings for Kafka's own broker, with folders that are not there yet. */
const settings = (...folders: string[]): string =>
  [
    'process.roles=broker,controller',
    'node.id=7',
    'controller.listener.names=CONTROLLER',
    'listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093',
    'controller.quorum.bootstrap.servers=localhost:9093',
    `log.dirs=${folders.map((folder) => `{file:${folder}}`).join(',')}`,
    '',
  ].join('\n')

const MASKS: readonly Mask[] = [
  // The records of a KRaft quorum.
  [/^Bootstrap metadata: .*\n/gm, ''],
  [/(directory\.id=)[\w-]{22}/g, '$1ID'],
  // A mask of the comparison's own may take the end of the line with it.
  [/^[\w-]{22}$/gm, 'UUID'],
]

function makeOther(side: Side): void {
  mkdirSync(side.file('other'), { recursive: true })
  const text = 'version=1\ncluster.id=another\nnode.id=7\ndirectory.id=3lCGHiqNQUqDQvDDcMeyaQ\n'
  writeFileSync(`${side.file('other')}/meta.properties`, text)
  writeFileSync(side.file('plain'), '')
}

export const cases: readonly CliCase[] = [
  {
    name: 'formats folders, and tells whose they are',
    before: makeOther,
    masks: MASKS,
    files: {
      'one.properties': settings('a'),
      'two.properties': settings('b', 'a'),
      'mixed.properties': settings('a', 'other'),
      'file.properties': settings('plain', 'c'),
    },
    commands: [
      run('info', '-c', '{file:one.properties}'),
      format('one.properties', '--standalone'),
      run('info', '-c', '{file:one.properties}'),
      format('one.properties', '--standalone'),
      format('one.properties', '--standalone', '--ignore-formatted'),
      format('two.properties', '-s', '-g'),
      run('info', '--config', '{file:two.properties}'),
      run('format', '-t', 'another', '-c', '{file:one.properties}', '-s', '-g'),
      run('info', '-c', '{file:mixed.properties}'),
      format('file.properties', '-s'),
      run('info', '-c', '{file:file.properties}'),
      run('random-uuid'),
    ],
  },
  {
    name: 'the command line',
    independent: true,
    masks: MASKS,
    files: { 'one.properties': settings('d') },
    commands: [
      run(),
      run('frmat'),
      run('format'),
      run('format', '-c', '{file:one.properties}'),
      run('info'),
      run('info', '-c', '{file:absent}'),
      run('random-uuid', 'x'),
      format('one.properties', '--standalone', '--no-initial-controllers'),
      format('one.properties', '--standalon=yes'),
    ],
  },
]
