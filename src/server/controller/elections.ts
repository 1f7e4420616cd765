/**
 * Elections that somebody asks for (KIP-460): of preferred leaders, who are the first of their
 * partitions' replicas, or of any leader where none is in sync.
 */
import { KafkaError } from '../../common/errors.ts'
import { NO_LEADER } from '../metadata-cache.ts'
import type { ClusterView, Decision, PartitionChange, PartitionView } from './partition-change.ts'

/** The kinds, with the numbers of the protocol. */
export const ElectionType = { PREFERRED: 0, UNCLEAN: 1 } as const

/** What became of a topic's partitions; null where one has the leader that was wanted now. */
export interface ElectionResult {
  readonly topic: string
  readonly partitions: readonly { partitionIndex: number; error: KafkaError | null }[]
}

type Asked = readonly { topic: string; partitions: readonly number[] }[]

/** Elects leaders for the partitions asked for. Null is all; those that need none go untold. */
export function electLeaders(
  view: ClusterView,
  type: number,
  asked: Asked | null,
): Decision<ElectionResult[]> {
  const changes: PartitionChange[] = []
  const outcome = (asked ?? everything(view)).map(({ topic, partitions }) => {
    const results: { partitionIndex: number; error: KafkaError | null }[] = []
    for (const partitionIndex of partitions) {
      const elected = elect(view, type, topic, partitionIndex)
      const error = elected instanceof KafkaError ? elected : null
      if (!(elected instanceof KafkaError)) changes.push({ topic, partitionIndex, ...elected })
      else if (asked === null && elected.errorName === 'ELECTION_NOT_NEEDED') continue
      results.push({ partitionIndex, error })
    }
    return { topic, partitions: results }
  })
  return { changes, outcome }
}

function everything(view: ClusterView): Asked {
  return view.topicNames().map((topic) => ({
    topic,
    partitions: [...(view.partitions(topic) ?? []).keys()],
  }))
}

type Elected = Required<Pick<PartitionChange, 'leader' | 'isr'>>

function elect(
  view: ClusterView,
  type: number,
  topic: string,
  partitionIndex: number,
): Elected | KafkaError {
  const partitions = view.partitions(topic)
  if (partitions === undefined) {
    return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `No such topic as ${topic}`)
  }
  const partition = partitions[partitionIndex]
  if (partition === undefined) {
    const name = `${topic}-${partitionIndex}`
    return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `No such partition as ${name}`)
  }
  return type === ElectionType.PREFERRED ? preferred(view, partition) : anyone(view, partition)
}

function preferred(view: ClusterView, { state, assignment }: PartitionView): Elected | KafkaError {
  const leader = assignment.replicas[0]!
  if (state.leader === leader) return new KafkaError('ELECTION_NOT_NEEDED')
  if (view.brokerIds.has(leader) && state.isr.includes(leader)) return { leader, isr: state.isr }
  return new KafkaError('PREFERRED_LEADER_NOT_AVAILABLE')
}

/** A leader that is in sync if there is one; else whoever is alive, with what it has. */
function anyone(view: ClusterView, { state, assignment }: PartitionView): Elected | KafkaError {
  if (state.leader !== NO_LEADER && view.brokerIds.has(state.leader)) {
    return new KafkaError('ELECTION_NOT_NEEDED')
  }
  const live = assignment.replicas.filter((id) => view.brokerIds.has(id))
  const inSync = live.filter((id) => state.isr.includes(id))
  const leader = inSync[0] ?? live[0]
  if (leader === undefined) return new KafkaError('ELIGIBLE_LEADERS_NOT_AVAILABLE')
  return { leader, isr: inSync.length > 0 ? inSync : [leader] }
}
