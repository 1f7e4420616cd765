/**
 * The group coordinator: how long it takes to serve again with a million committed offsets in its
 * log, and how long a group of 200 members takes to settle; see bench/README.md.
 *
 *     node bench/groups.ts [--runs 5] [--peer kafka] [--peers-only] [--json FILE] [--check]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ErrorCode } from '../src/common/errors.ts'
import { CreateTopics } from '../src/protocol/messages/create-topics.ts'
import { FindCoordinator } from '../src/protocol/messages/find-coordinator.ts'
import { JoinGroup } from '../src/protocol/messages/join-group.ts'
import { LeaveGroup } from '../src/protocol/messages/leave-group.ts'
import { OffsetCommit } from '../src/protocol/messages/offset-commit.ts'
import { OffsetFetch } from '../src/protocol/messages/offset-fetch.ts'
import { SyncGroup } from '../src/protocol/messages/sync-group.ts'
import { TestClient } from '../test/support/test-client.ts'
import { median } from './median.ts'
import { apacheKafkaCommand } from './peers/apache-kafka.ts'
import { samsaCommand } from './peers/samsa.ts'
import { type Command, freePort, servingPid, spawnServer, stopProcess } from './peers/server.ts'

const limits = { replayMs: 3000, membersPerRound: 200 }
const groups = 10_000
const partitions = 100
const members = limits.membersPerRound
const initialDelayMs = 3000
const giveUpMs = 120_000
const topic = 'read'
/** One partition of the offsets topic, so that one shard replays everything. */
const overrides = [
  'offsets.topic.num.partitions=1',
  `group.initial.rebalance.delay.ms=${initialDelayMs}`,
]

interface Sample {
  /**
   * From the first accepted connection until the coordinator answers, with all commits in its log.
   */
  replayMs: number
  /** The first join of all members at once, without the delay that the group waits for more. */
  formMs: number
  /** One member leaves, the others join again and have their assignments. */
  roundMs: number
  /** How many generations the first join took. */
  generations: number
}

async function connectSoon(port: number): Promise<TestClient> {
  const deadline = performance.now() + giveUpMs
  for (;;) {
    try {
      return await TestClient.connect(port)
    } catch (error) {
      if (performance.now() > deadline) throw error
      await sleep(2)
    }
  }
}

/** Repeats while the coordinator is loading or not there yet. */
async function untilServed(ask: () => Promise<number>): Promise<void> {
  const deadline = performance.now() + giveUpMs
  for (;;) {
    const errorCode = await ask()
    if (errorCode === ErrorCode.NONE) return
    if (performance.now() > deadline) throw new Error(`still error ${errorCode}`)
    await sleep(1)
  }
}

async function findCoordinator(client: TestClient): Promise<number> {
  const request = { keyType: 0, coordinatorKeys: ['group-0'] }
  const { coordinators } = await client.send(FindCoordinator, 4, request)
  return coordinators[0]!.errorCode
}

async function commitAll(client: TestClient): Promise<void> {
  await client.send(CreateTopics, 5, {
    topics: [
      {
        name: topic,
        numPartitions: partitions,
        replicationFactor: 1,
        assignments: [],
        configs: [],
      },
    ],
    timeoutMs: 60_000,
    validateOnly: false,
  })
  await untilServed(() => findCoordinator(client))
  const offsets = Array.from({ length: partitions }, (_, partitionIndex) => ({
    partitionIndex,
    committedOffset: 1000 + partitionIndex,
    committedLeaderEpoch: 0,
    committedMetadata: '',
  }))
  await untilServed(() => commit(client, 'group-0', offsets))
  for (let group = 1; group < groups; group++) {
    const errorCode = await commit(client, `group-${group}`, offsets)
    if (errorCode !== ErrorCode.NONE) throw new Error(`a commit was refused: ${errorCode}`)
  }
}

type Offsets = readonly {
  partitionIndex: number
  committedOffset: number
  committedLeaderEpoch: number
  committedMetadata: string
}[]

async function commit(client: TestClient, groupId: string, offsets: Offsets): Promise<number> {
  const topics = [{ name: topic, partitions: offsets }]
  const response = await client.send(OffsetCommit, 8, { groupId, memberId: '', topics })
  const errors = response.topics[0]!.partitions.map(({ errorCode }) => errorCode)
  return errors.find((errorCode) => errorCode !== ErrorCode.NONE) ?? ErrorCode.NONE
}

/** Reads the last group's offsets; an error code, or NONE when they are all there. */
async function readLast(client: TestClient): Promise<number> {
  const group = { groupId: `group-${groups - 1}`, topics: null }
  const { groups: answers } = await client.send(OffsetFetch, 8, { groups: [group] })
  const { errorCode, topics } = answers[0]!
  if (errorCode !== ErrorCode.NONE) return errorCode
  const found = topics[0]?.partitions.length ?? 0
  if (found !== partitions) throw new Error(`${found} offsets of ${partitions} are there`)
  return ErrorCode.NONE
}

interface Member {
  readonly client: TestClient
  memberId: string
  generationId: number
  isLeader: boolean
}

const metadata = Buffer.from('000000000001000472656164ffffffff', 'hex')

async function joinGroup(member: Member, groupId: string): Promise<void> {
  const ask = () =>
    member.client.send(JoinGroup, 7, {
      groupId,
      sessionTimeoutMs: 45_000,
      rebalanceTimeoutMs: 60_000,
      memberId: member.memberId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata }],
    })
  let response = await ask()
  if (response.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
    member.memberId = response.memberId
    response = await ask()
  }
  if (response.errorCode !== ErrorCode.NONE) throw new Error(`join: error ${response.errorCode}`)
  member.generationId = response.generationId
  member.isLeader = response.leader === response.memberId
}

async function sync(member: Member, groupId: string, all: readonly Member[]): Promise<void> {
  const assignments = all.map(({ memberId }) => ({ memberId, assignment: metadata }))
  const { errorCode, assignment } = await member.client.send(SyncGroup, 4, {
    groupId,
    generationId: member.generationId,
    memberId: member.memberId,
    assignments: member.isLeader ? assignments : [],
  })
  if (errorCode !== ErrorCode.NONE) throw new Error(`sync: error ${errorCode}`)
  if (!assignment.equals(metadata)) throw new Error('a member was not given its assignment')
}

async function round(all: readonly Member[], groupId: string): Promise<number> {
  const startedAt = performance.now()
  await Promise.all(all.map((member) => joinGroup(member, groupId)))
  await Promise.all(all.map((member) => sync(member, groupId, all)))
  return performance.now() - startedAt
}

async function measureRounds(port: number): Promise<Omit<Sample, 'replayMs'>> {
  const groupId = 'crowd'
  const all: Member[] = []
  for (let i = 0; i < members; i++) {
    const client = await TestClient.connect(port)
    all.push({ client, memberId: '', generationId: -1, isLeader: false })
  }
  try {
    const formMs = await round(all, groupId)
    const generations = all[0]!.generationId
    const { client, memberId } = all.pop()!
    await client.send(LeaveGroup, 3, { groupId, members: [{ memberId }] })
    client.close()
    const roundMs = await round(all, groupId)
    // Whoever joins within the delay prolongs it; here all come in its first moments.
    return { formMs: formMs - 2 * initialDelayMs, roundMs, generations }
  } finally {
    for (const { client } of all) client.close()
  }
}

async function measure(command: Command, port: number): Promise<Sample> {
  const first = spawnServer(command)
  try {
    const client = await connectSoon(port)
    await commitAll(client)
    client.close()
  } finally {
    await stopProcess(first.child, servingPid(first.child))
  }
  const second = spawnServer(command)
  try {
    const client = await connectSoon(port)
    const acceptedAt = performance.now()
    await untilServed(() => readLast(client))
    const replayMs = performance.now() - acceptedAt
    client.close()
    return { replayMs, ...(await measureRounds(port)) }
  } finally {
    await stopProcess(second.child, servingPid(second.child))
  }
}

type MakeCommand = (folder: string, port: number, overrides: string[]) => Command | Promise<Command>

/**
 * Each server in turn, as often as asked, so that what disturbs the machine disturbs them alike.
 */
async function measureInTurn(
  scratch: string,
  servers: ReadonlyMap<string, MakeCommand>,
  runs: number,
): Promise<Map<string, Sample[]>> {
  const samples = new Map([...servers.keys()].map((name) => [name, [] as Sample[]]))
  for (let run = 0; run < runs; run++) {
    for (const [name, make] of servers) {
      const folder = mkdtempSync(join(scratch, 'run-'))
      const port = await freePort()
      samples.get(name)!.push(await measure(await make(folder, port, overrides), port))
      rmSync(folder, { recursive: true })
    }
  }
  return samples
}

function summarize(name: string, samples: Sample[]): Sample {
  const summary = {} as Sample
  console.log(`${name}, median of ${samples.length} (min–max)`)
  const line = (label: string, field: keyof Sample, unit: string, bound = '') => {
    const values = samples.map((sample) => sample[field])
    summary[field] = median(values)
    const range = `${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)}`
    console.log(
      `  ${label.padEnd(40)}${summary[field].toFixed(0).padStart(7)} ${unit} (${range})${bound}`,
    )
  }
  line('1,000,000 commits replayed', 'replayMs', 'ms', `  limit ${limits.replayMs} ms`)
  line(`${members} members form a group`, 'formMs', 'ms')
  line('generations that took', 'generations', '', '  limit 1')
  line('one leaves, the others settle', 'roundMs', 'ms')
  return summary
}

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    peer: { type: 'string' },
    'peers-only': { type: 'boolean', default: false },
    json: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
})
if (options.peer !== undefined && options.peer !== 'kafka') throw new Error('--peer knows kafka')

const cache = join(import.meta.dirname, '.cache')
mkdirSync(cache, { recursive: true })
const scratch = mkdtempSync(join(cache, 'groups-'))
try {
  const servers = new Map<string, MakeCommand>()
  if (!options['peers-only']) servers.set('Samsa', samsaCommand)
  if (options.peer === 'kafka') servers.set('Apache Kafka', apacheKafkaCommand)
  const results: Record<string, { median: Sample; samples: Sample[] }> = {}
  for (const [name, samples] of await measureInTurn(scratch, servers, Number(options.runs))) {
    const summary = summarize(name, samples)
    results[name] = { median: summary, samples }
    const isMissed = summary.replayMs > limits.replayMs || summary.generations !== 1
    if (name !== 'Samsa' || !isMissed) continue
    console.log('A limit is missed.')
    if (options.check) process.exitCode = 1
  }
  if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
