import assert from 'node:assert/strict'
import { test } from 'node:test'
import { electLeaders } from '../../../src/server/controller/elections.ts'
import type { ClusterView, PartitionView } from '../../../src/server/controller/partition-change.ts'
import { reassignPartitions } from '../../../src/server/controller/reassignments.ts'

interface Shape {
  leader: number
  isr: number[]
  replicas: number[]
  adding?: number[]
  removing?: number[]
}

/** A cluster of live brokers with one topic `t` of these partitions. */
function cluster(live: number[], shapes: Shape[]): ClusterView {
  const partitions = shapes.map(
    ({ leader, isr, replicas, adding = [], removing = [] }): PartitionView => ({
      state: { leader, isr, leaderEpoch: 3, controllerEpoch: 1 },
      assignment: { replicas, addingReplicas: adding, removingReplicas: removing },
    }),
  )
  return {
    brokerIds: new Set(live),
    partitions: (topic) => (topic === 't' ? partitions : undefined),
    topicNames: () => ['t'],
  }
}

const [PREFERRED, UNCLEAN] = [0, 1]

test('leaders are elected where that is needed and possible', () => {
  const view = cluster(
    [1, 2],
    [
      { leader: 1, isr: [1, 2], replicas: [1, 2] },
      { leader: 2, isr: [1, 2], replicas: [1, 2] },
      { leader: 2, isr: [2], replicas: [1, 2] },
      { leader: -1, isr: [3], replicas: [3, 2, 1] },
      { leader: -1, isr: [3, 1], replicas: [3, 2, 1] },
      { leader: -1, isr: [3], replicas: [3, 4] },
    ],
  )
  const elect = (type: number, partitions: number[] | null) => {
    const asked = partitions === null ? null : [{ topic: 't', partitions }]
    const { changes, outcome } = electLeaders(view, type, asked)
    return {
      changes: changes.map((change) => [change.partitionIndex, change.leader, change.isr]),
      errors: outcome[0]!.partitions.map(({ partitionIndex, error }) => [
        partitionIndex,
        error?.errorName ?? null,
      ]),
    }
  }
  assert.deepEqual(elect(PREFERRED, [0, 1, 2, 9]), {
    changes: [[1, 1, [1, 2]]],
    errors: [
      [0, 'ELECTION_NOT_NEEDED'],
      [1, null],
      [2, 'PREFERRED_LEADER_NOT_AVAILABLE'],
      [9, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ],
  })
  // Whoever is in sync comes first; else the first alive, and nobody else counts as in sync.
  assert.deepEqual(elect(UNCLEAN, null), {
    changes: [
      [3, 2, [2]],
      [4, 1, [1]],
    ],
    errors: [
      [3, null],
      [4, null],
      [5, 'ELIGIBLE_LEADERS_NOT_AVAILABLE'],
    ],
  })
})

test('a reassignment ends at once where nobody new has to catch up', () => {
  const view = cluster([1, 2, 3], [{ leader: 1, isr: [1, 2], replicas: [1, 2] }])
  const reassign = (replicas: number[] | null, allowChange = true, of = view) => {
    const wanted = [{ topic: 't', partitionIndex: 0, replicas }]
    const { changes, outcome } = reassignPartitions(of, wanted, allowChange)
    if (outcome[0] != null) return outcome[0].errorName
    const { assignment, leader, isr } = changes[0]!
    const { replicas: now, addingReplicas: adding, removingReplicas: removing } = assignment!
    return { now, adding, removing, leader, isr }
  }
  const settled = { adding: [], removing: [], leader: undefined, isr: undefined }
  assert.deepEqual(reassign([2, 1]), { ...settled, now: [2, 1] })
  assert.deepEqual(reassign([2]), { ...settled, now: [2], leader: 2, isr: [2] })
  const begun = { now: [2, 3, 1], adding: [3], removing: [1] }
  assert.deepEqual(reassign([2, 3]), { ...begun, leader: undefined, isr: undefined })
  assert.equal(reassign([2], false), 'INVALID_REPLICATION_FACTOR')
  assert.equal(reassign([7]), 'INVALID_REPLICA_ASSIGNMENT')
  assert.equal(reassign([]), 'INVALID_REPLICA_ASSIGNMENT')
  assert.equal(reassign([2, 2]), 'INVALID_REPLICA_ASSIGNMENT')
  assert.equal(reassign(null), 'NO_REASSIGNMENT_IN_PROGRESS')
  const underWay = cluster(
    [1, 2, 3],
    [{ leader: 1, isr: [1, 2], replicas: [2, 3, 1], adding: [3], removing: [1] }],
  )
  assert.deepEqual(reassign(null, true, underWay), { ...settled, now: [2, 1] })
  // Another target replaces the one under way: what was being added and is not wanted goes.
  assert.deepEqual(reassign([1, 2], true, underWay), { ...settled, now: [1, 2] })
})
