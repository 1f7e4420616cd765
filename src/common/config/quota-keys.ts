/**
 * The broker's keys about quotas: over which windows a client's rate is measured. The quotas
 * themselves are set per user and client (AlterClientQuotas).
 */
import { atLeast, int } from './config-definition.ts'

function samples(what: string) {
  return int({
    default: 11,
    valid: atLeast(1),
    importance: 'low',
    doc: `How many windows are kept to measure ${what}.`,
  })
}

function sampleSeconds(what: string) {
  return int({
    default: 1,
    valid: atLeast(1),
    importance: 'low',
    doc: `The length of each window, in seconds, over which ${what} are measured.`,
  })
}

export const QUOTA_KEYS = {
  'quota.window.num': samples('the rates of clients'),
  'quota.window.size.seconds': sampleSeconds('the rates of clients'),
  'controller.quota.window.num': samples('the rates of changes to topics'),
  'controller.quota.window.size.seconds': sampleSeconds('the rates of changes to topics'),
  'replication.quota.window.num': samples('the rates of replication'),
  'replication.quota.window.size.seconds': sampleSeconds('the rates of replication'),
  'alter.log.dirs.replication.quota.window.num': samples('the rates of moves between folders'),
  'alter.log.dirs.replication.quota.window.size.seconds': sampleSeconds(
    'the rates of moves between folders',
  ),
}
