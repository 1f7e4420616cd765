/**
 * The nodes in which a cluster keeps its metadata, and what is written in them: Apache Kafka's own
 * layout in ZooKeeper, so that tools which read ZooKeeper see a normal Kafka cluster.
 *
 * Everything here is a path or a pair of functions between a node's bytes and a plain object.
 */

export const paths = {
  controller: '/controller',
  controllerEpoch: '/controller_epoch',
  brokerIds: '/brokers/ids',
  broker: (id: number) => `/brokers/ids/${id}`,
  brokerSequence: '/brokers/seqid',
  topics: '/brokers/topics',
  topic: (name: string) => `/brokers/topics/${name}`,
  topicPartitions: (name: string) => `/brokers/topics/${name}/partitions`,
  partition: (name: string, index: number) => `/brokers/topics/${name}/partitions/${index}`,
  partitionState: (name: string, index: number) =>
    `/brokers/topics/${name}/partitions/${index}/state`,
  configs: (type: ConfigEntity) => `/config/${type}`,
  config: (type: ConfigEntity, name: string) => `/config/${type}/${name}`,
  deleteTopics: '/admin/delete_topics',
  deleteTopic: (name: string) => `/admin/delete_topics/${name}`,
  clusterId: '/cluster/id',
  producerIdBlock: '/latest_producer_id_block',
  features: '/feature',
} as const

/** The paths that exist in every cluster, parents first. */
export const PERSISTENT_PATHS: readonly string[] = [
  '/brokers/ids',
  '/brokers/topics',
  '/brokers/seqid',
  '/config/changes',
  '/config/topics',
  '/config/brokers',
  '/config/clients',
  '/config/users',
  '/config/ips',
  '/config/client-metrics',
  '/config/groups',
  '/admin/delete_topics',
  '/isr_change_notification',
  '/log_dir_event_notification',
  '/latest_producer_id_block',
  '/cluster',
]

export type ConfigEntity =
  | 'topics'
  | 'brokers'
  | 'clients'
  | 'users'
  | 'ips'
  | 'client-metrics'
  | 'groups'

/** The entity that stands for "all brokers", "all clients" and so on. */
export const DEFAULT_ENTITY = '<default>'

/** The name of a node for a name that may hold anything: Kafka's percent encoding. */
export function encodeNodeName(name: string): string {
  // Steps of one or two dots would not be names.
  if (name === '.' || name === '..') return name.replaceAll('.', '%2E')
  return encodeURIComponent(name).replace(/[!'()*~]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  })
}

export function decodeNodeName(node: string): string {
  return decodeURIComponent(node)
}

export interface EndPoint {
  readonly listenerName: string
  readonly securityProtocol: string
  readonly host: string
  readonly port: number
}

export interface BrokerRegistration {
  readonly endPoints: readonly EndPoint[]
  readonly rack: string | null
}

/** One partition's place in a topic's assignment. Replica lists start with the preferred leader. */
export interface PartitionAssignment {
  replicas: number[]
  addingReplicas: number[]
  removingReplicas: number[]
}

export interface TopicAssignment {
  /** Absent in a node written by a tool that does not know topic ids. */
  topicId: string | undefined
  /** Indexed by partition. */
  partitions: PartitionAssignment[]
}

export interface PartitionState {
  leader: number
  leaderEpoch: number
  controllerEpoch: number
  isr: number[]
}

/** The first producer id of a block, and the last. */
export interface ProducerIdBlock {
  readonly brokerId: number
  readonly firstId: number
  readonly lastId: number
}

type Json = Record<string, unknown>

function encode(value: Json): Buffer {
  return Buffer.from(JSON.stringify(value))
}

function decode(bytes: Uint8Array): Json {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as Json
}

export function encodeBroker(registration: BrokerRegistration, nowMs: number): Buffer {
  const first = registration.endPoints[0]
  return encode({
    version: 5,
    host: first?.host ?? null,
    port: first?.port ?? -1,
    jmx_port: -1,
    timestamp: String(nowMs),
    endpoints: registration.endPoints.map((e) => `${e.listenerName}://${e.host}:${e.port}`),
    listener_security_protocol_map: Object.fromEntries(
      registration.endPoints.map((e) => [e.listenerName, e.securityProtocol]),
    ),
    ...(registration.rack === null ? {} : { rack: registration.rack }),
    features: {},
  })
}

export function decodeBroker(bytes: Uint8Array): BrokerRegistration {
  const json = decode(bytes)
  const protocols = (json.listener_security_protocol_map ?? {}) as Record<string, string>
  const endPoints = (json.endpoints as string[]).map((text) => {
    const match = /^(.*):\/\/\[?(.*?)\]?:(\d+)$/.exec(text)
    if (match === null) throw new Error(`a broker is registered with the end point ${text}`)
    const listenerName = match[1]!
    return {
      listenerName,
      securityProtocol: protocols[listenerName] ?? listenerName,
      host: match[2]!,
      port: Number(match[3]),
    }
  })
  return { endPoints, rack: (json.rack as string | undefined) ?? null }
}

export function encodeController(brokerId: number, nowMs: number): Buffer {
  const timestamp = String(nowMs)
  return encode({ version: 2, brokerid: brokerId, timestamp, kraftControllerEpoch: -1 })
}

export function decodeController(bytes: Uint8Array): { brokerId: number } {
  return { brokerId: decode(bytes).brokerid as number }
}

export function encodeTopic(topic: TopicAssignment): Buffer {
  const listed = (pick: (p: PartitionAssignment) => number[]) =>
    Object.fromEntries(topic.partitions.map((p, index) => [index, pick(p)] as const))
  const changing = (pick: (p: PartitionAssignment) => number[]) =>
    Object.fromEntries(Object.entries(listed(pick)).filter(([, replicas]) => replicas.length > 0))
  return encode({
    version: 3,
    ...(topic.topicId === undefined ? {} : { topic_id: topic.topicId }),
    partitions: listed((p) => p.replicas),
    adding_replicas: changing((p) => p.addingReplicas),
    removing_replicas: changing((p) => p.removingReplicas),
  })
}

export function decodeTopic(bytes: Uint8Array): TopicAssignment {
  const json = decode(bytes)
  const replicas = json.partitions as Record<string, number[]>
  const adding = (json.adding_replicas ?? {}) as Record<string, number[]>
  const removing = (json.removing_replicas ?? {}) as Record<string, number[]>
  const partitions: PartitionAssignment[] = []
  for (const [index, assigned] of Object.entries(replicas)) {
    partitions[Number(index)] = {
      replicas: assigned,
      addingReplicas: adding[index] ?? [],
      removingReplicas: removing[index] ?? [],
    }
  }
  return { topicId: json.topic_id as string | undefined, partitions }
}

export function encodePartitionState(state: PartitionState): Buffer {
  return encode({
    controller_epoch: state.controllerEpoch,
    leader: state.leader,
    version: 1,
    leader_epoch: state.leaderEpoch,
    isr: state.isr,
  })
}

export function decodePartitionState(bytes: Uint8Array): PartitionState {
  const json = decode(bytes)
  return {
    leader: json.leader as number,
    leaderEpoch: json.leader_epoch as number,
    controllerEpoch: json.controller_epoch as number,
    isr: json.isr as number[],
  }
}

export function encodeConfig(config: Readonly<Record<string, string>>): Buffer {
  return encode({ version: 1, config })
}

export function decodeConfig(bytes: Uint8Array): Record<string, string> {
  return (decode(bytes).config ?? {}) as Record<string, string>
}

export function encodeClusterId(id: string): Buffer {
  return encode({ version: '1', id })
}

export function decodeClusterId(bytes: Uint8Array): string {
  return decode(bytes).id as string
}

/** The finalized level of each feature; one that is not there counts as 0. */
export function encodeFeatures(levels: ReadonlyMap<string, number>): Buffer {
  const features = [...levels].map(([name, level]) => [name, { max_version_level: level }] as const)
  return encode({ version: 2, status: 1, features: Object.fromEntries(features) })
}

export function decodeFeatures(bytes: Uint8Array): Map<string, number> {
  const features = decode(bytes).features as Record<string, { max_version_level: number }>
  return new Map(Object.entries(features).map(([name, level]) => [name, level.max_version_level]))
}

export function encodeProducerIdBlock(block: ProducerIdBlock): Buffer {
  return encode({
    version: 1,
    broker: block.brokerId,
    block_start: String(block.firstId),
    block_end: String(block.lastId),
  })
}

export function decodeProducerIdBlock(bytes: Uint8Array): ProducerIdBlock {
  const json = decode(bytes)
  return {
    brokerId: json.broker as number,
    firstId: Number(json.block_start),
    lastId: Number(json.block_end),
  }
}
