/**
 * Every error that Kafka's protocol knows: its code on the wire, its name, whether a client may try
 * the same request again, and the message used when none is given.
 *
 * This is the only table of error names. Where something goes wrong in operation, code returns one
 * of these codes, or throws a KafkaError where it is many calls away from a response; the request
 * dispatcher turns the latter into the former. A broken invariant of our own is a plain Error: it
 * is not the client's business and ends the broker.
 *
 * Codes and names are Kafka 4.2's (the table "Error Codes" of its protocol guide); retriable means
 * that the Java client's exception for the code is a RetriableException.
 */

/** Name: code on the wire, retriable, default message. In the order of the codes. */
const TABLE = {
  UNKNOWN_SERVER_ERROR: [
    -1,
    false,
    'The server experienced an unexpected error when processing the request.',
  ],
  NONE: [0, false, ''],
  OFFSET_OUT_OF_RANGE: [
    1,
    false,
    'The requested offset is not within the range of offsets maintained by the server.',
  ],
  CORRUPT_MESSAGE: [2, true, 'This message has failed its CRC checksum or is otherwise corrupt.'],
  UNKNOWN_TOPIC_OR_PARTITION: [3, true, 'This server does not host this topic-partition.'],
  INVALID_FETCH_SIZE: [4, false, 'The requested fetch size is invalid.'],
  LEADER_NOT_AVAILABLE: [
    5,
    true,
    'There is no leader for this topic-partition; an election is under way.',
  ],
  NOT_LEADER_OR_FOLLOWER: [
    6,
    true,
    'The broker is not the leader of this topic-partition, or not one of its replicas.',
  ],
  REQUEST_TIMED_OUT: [7, true, 'The request timed out.'],
  BROKER_NOT_AVAILABLE: [8, false, 'The broker is not available.'],
  REPLICA_NOT_AVAILABLE: [
    9,
    true,
    'The replica is not available for the requested topic-partition.',
  ],
  MESSAGE_TOO_LARGE: [
    10,
    false,
    'The request included a message larger than the server will accept.',
  ],
  STALE_CONTROLLER_EPOCH: [11, false, 'The controller moved to another broker.'],
  OFFSET_METADATA_TOO_LARGE: [12, false, 'The metadata field of the offset request was too large.'],
  NETWORK_EXCEPTION: [13, true, 'The server disconnected before a response was received.'],
  COORDINATOR_LOAD_IN_PROGRESS: [
    14,
    true,
    "The coordinator is loading and hence can't process requests.",
  ],
  COORDINATOR_NOT_AVAILABLE: [15, true, 'The coordinator is not available.'],
  NOT_COORDINATOR: [16, true, 'This is not the correct coordinator.'],
  INVALID_TOPIC_EXCEPTION: [
    17,
    false,
    'The request attempted to perform an operation on an invalid topic.',
  ],
  RECORD_LIST_TOO_LARGE: [
    18,
    false,
    'The request included message batch larger than the segment size of the server.',
  ],
  NOT_ENOUGH_REPLICAS: [
    19,
    true,
    'Messages are rejected since there are fewer in-sync replicas than required.',
  ],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: [
    20,
    true,
    'Messages are written to the log, but to fewer in-sync replicas than required.',
  ],
  INVALID_REQUIRED_ACKS: [
    21,
    false,
    'Produce request specified an invalid value for required acks.',
  ],
  ILLEGAL_GENERATION: [22, false, 'Specified group generation id is not valid.'],
  INCONSISTENT_GROUP_PROTOCOL: [
    23,
    false,
    "The member's protocols are incompatible with those of the group, or it named none.",
  ],
  INVALID_GROUP_ID: [24, false, 'The group id is invalid.'],
  UNKNOWN_MEMBER_ID: [25, false, 'The coordinator is not aware of this member.'],
  INVALID_SESSION_TIMEOUT: [
    26,
    false,
    'The session timeout is not within group.min and group.max.session.timeout.ms.',
  ],
  REBALANCE_IN_PROGRESS: [27, false, 'The group is rebalancing, so a rejoin is needed.'],
  INVALID_COMMIT_OFFSET_SIZE: [28, false, 'The committing offset data size is not valid.'],
  TOPIC_AUTHORIZATION_FAILED: [29, false, 'Topic authorization failed.'],
  GROUP_AUTHORIZATION_FAILED: [30, false, 'Group authorization failed.'],
  CLUSTER_AUTHORIZATION_FAILED: [31, false, 'Cluster authorization failed.'],
  INVALID_TIMESTAMP: [32, false, 'The timestamp of the message is out of acceptable range.'],
  UNSUPPORTED_SASL_MECHANISM: [
    33,
    false,
    'The broker does not support the requested SASL mechanism.',
  ],
  ILLEGAL_SASL_STATE: [34, false, 'Request is not valid given the current SASL state.'],
  UNSUPPORTED_VERSION: [35, false, 'The version of API is not supported.'],
  TOPIC_ALREADY_EXISTS: [36, false, 'Topic with this name already exists.'],
  INVALID_PARTITIONS: [37, false, 'Number of partitions is below 1.'],
  INVALID_REPLICATION_FACTOR: [
    38,
    false,
    'Replication factor is below 1 or larger than the number of available brokers.',
  ],
  INVALID_REPLICA_ASSIGNMENT: [39, false, 'Replica assignment is invalid.'],
  INVALID_CONFIG: [40, false, 'Configuration is invalid.'],
  NOT_CONTROLLER: [41, true, 'This is not the correct controller for this cluster.'],
  INVALID_REQUEST: [
    42,
    false,
    "The request is malformed or meant for another broker; see the broker's log.",
  ],
  UNSUPPORTED_FOR_MESSAGE_FORMAT: [
    43,
    false,
    'The message format version on the broker does not support the request.',
  ],
  POLICY_VIOLATION: [44, false, 'Request parameters do not satisfy the configured policy.'],
  OUT_OF_ORDER_SEQUENCE_NUMBER: [45, false, 'The broker received an out of order sequence number.'],
  DUPLICATE_SEQUENCE_NUMBER: [46, false, 'The broker received a duplicate sequence number.'],
  INVALID_PRODUCER_EPOCH: [47, false, 'Producer attempted to produce with an old epoch.'],
  INVALID_TXN_STATE: [
    48,
    false,
    'The producer attempted a transactional operation in an invalid state.',
  ],
  INVALID_PRODUCER_ID_MAPPING: [
    49,
    false,
    'The producer id is not the one assigned to its transactional id.',
  ],
  INVALID_TRANSACTION_TIMEOUT: [
    50,
    false,
    'The transaction timeout is larger than transaction.max.timeout.ms.',
  ],
  CONCURRENT_TRANSACTIONS: [
    51,
    true,
    'The producer attempted to update a transaction while another concurrent operation on the ' +
      'same transaction was ongoing.',
  ],
  TRANSACTION_COORDINATOR_FENCED: [
    52,
    false,
    'Indicates that the transaction coordinator sending a WriteTxnMarker is no longer the ' +
      'current coordinator for a given producer.',
  ],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [53, false, 'Transactional Id authorization failed.'],
  SECURITY_DISABLED: [54, false, 'Security features are disabled.'],
  OPERATION_NOT_ATTEMPTED: [
    55,
    false,
    'The operation was not attempted because another one in its batch failed.',
  ],
  KAFKA_STORAGE_ERROR: [56, true, 'Disk error when trying to access log file on the disk.'],
  LOG_DIR_NOT_FOUND: [
    57,
    false,
    'The user-specified log directory is not found in the broker config.',
  ],
  SASL_AUTHENTICATION_FAILED: [58, false, 'SASL Authentication failed.'],
  UNKNOWN_PRODUCER_ID: [
    59,
    false,
    'No metadata is kept for this producer id, perhaps because its records have expired.',
  ],
  REASSIGNMENT_IN_PROGRESS: [60, false, 'A partition reassignment is in progress.'],
  DELEGATION_TOKEN_AUTH_DISABLED: [61, false, 'Delegation Token feature is not enabled.'],
  DELEGATION_TOKEN_NOT_FOUND: [62, false, 'Delegation Token is not found on server.'],
  DELEGATION_TOKEN_OWNER_MISMATCH: [63, false, 'Specified Principal is not valid Owner/Renewer.'],
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: [
    64,
    false,
    'Delegation Token requests are not allowed on PLAINTEXT or token-authenticated channels.',
  ],
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: [65, false, 'Delegation Token authorization failed.'],
  DELEGATION_TOKEN_EXPIRED: [66, false, 'Delegation Token is expired.'],
  INVALID_PRINCIPAL_TYPE: [67, false, 'Supplied principalType is not supported.'],
  NON_EMPTY_GROUP: [68, false, 'The group is not empty.'],
  GROUP_ID_NOT_FOUND: [69, false, 'The group id does not exist.'],
  FETCH_SESSION_ID_NOT_FOUND: [70, true, 'The fetch session ID was not found.'],
  INVALID_FETCH_SESSION_EPOCH: [71, true, 'The fetch session epoch is invalid.'],
  LISTENER_NOT_FOUND: [
    72,
    true,
    'The leader has no listener of the name that this metadata request came in by.',
  ],
  TOPIC_DELETION_DISABLED: [73, false, 'Topic deletion is disabled.'],
  FENCED_LEADER_EPOCH: [
    74,
    true,
    'The leader epoch in the request is older than the epoch on the broker.',
  ],
  UNKNOWN_LEADER_EPOCH: [
    75,
    true,
    'The leader epoch in the request is newer than the epoch on the broker.',
  ],
  UNSUPPORTED_COMPRESSION_TYPE: [
    76,
    false,
    'The requesting client does not support the compression type of given partition.',
  ],
  STALE_BROKER_EPOCH: [77, false, 'Broker epoch has changed.'],
  OFFSET_NOT_AVAILABLE: [
    78,
    true,
    'The high watermark of a newly elected leader has not caught up yet.',
  ],
  MEMBER_ID_REQUIRED: [
    79,
    false,
    'The group member needs a valid member id before it can enter the group.',
  ],
  PREFERRED_LEADER_NOT_AVAILABLE: [80, true, 'The preferred leader was not available.'],
  GROUP_MAX_SIZE_REACHED: [81, false, 'The group has reached its maximum size.'],
  FENCED_INSTANCE_ID: [
    82,
    false,
    'Another consumer has registered the same group.instance.id with another member id.',
  ],
  ELIGIBLE_LEADERS_NOT_AVAILABLE: [83, true, 'Eligible topic partition leaders are not available.'],
  ELECTION_NOT_NEEDED: [84, true, 'Leader election not needed for topic partition.'],
  NO_REASSIGNMENT_IN_PROGRESS: [85, false, 'No partition reassignment is in progress.'],
  GROUP_SUBSCRIBED_TO_TOPIC: [
    86,
    false,
    'Deleting offsets of a topic is forbidden while the consumer group is actively subscribed ' +
      'to it.',
  ],
  INVALID_RECORD: [
    87,
    false,
    'This record has failed the validation on broker and hence will be rejected.',
  ],
  UNSTABLE_OFFSET_COMMIT: [88, true, 'There are unstable offsets that need to be cleared.'],
  THROTTLING_QUOTA_EXCEEDED: [89, true, 'The throttling quota has been exceeded.'],
  PRODUCER_FENCED: [
    90,
    false,
    'There is a newer producer with the same transactionalId which fences this one.',
  ],
  RESOURCE_NOT_FOUND: [
    91,
    false,
    'A request illegally referred to a resource that does not exist.',
  ],
  DUPLICATE_RESOURCE: [92, false, 'A request illegally referred to the same resource twice.'],
  UNACCEPTABLE_CREDENTIAL: [
    93,
    false,
    'Requested credential would not meet criteria for acceptability.',
  ],
  INCONSISTENT_VOTER_SET: [
    94,
    false,
    'The sender or recipient of a voter-only request is not one of the voters.',
  ],
  INVALID_UPDATE_VERSION: [95, false, 'The given update version was invalid.'],
  FEATURE_UPDATE_FAILED: [
    96,
    false,
    'Unable to update finalized features due to an unexpected server error.',
  ],
  PRINCIPAL_DESERIALIZATION_FAILURE: [
    97,
    false,
    'The principal of a forwarded request could not be read.',
  ],
  SNAPSHOT_NOT_FOUND: [98, false, 'Requested snapshot was not found.'],
  POSITION_OUT_OF_RANGE: [99, false, 'Requested position is not within the snapshot.'],
  UNKNOWN_TOPIC_ID: [100, true, 'This server does not host this topic ID.'],
  DUPLICATE_BROKER_REGISTRATION: [101, false, 'This broker ID is already in use.'],
  BROKER_ID_NOT_REGISTERED: [102, false, 'The given broker ID was not registered.'],
  INCONSISTENT_TOPIC_ID: [
    103,
    true,
    "The log's topic ID did not match the topic ID in the request.",
  ],
  INCONSISTENT_CLUSTER_ID: [
    104,
    false,
    'The clusterId in the request does not match that found on the server.',
  ],
  TRANSACTIONAL_ID_NOT_FOUND: [105, false, 'The transactionalId could not be found.'],
  FETCH_SESSION_TOPIC_ID_ERROR: [
    106,
    true,
    'The fetch session encountered inconsistent topic ID usage.',
  ],
  INELIGIBLE_REPLICA: [107, false, 'The new ISR contains at least one ineligible replica.'],
  NEW_LEADER_ELECTED: [108, false, 'The partition state was updated, but the leader has changed.'],
  OFFSET_MOVED_TO_TIERED_STORAGE: [109, false, 'The requested offset is moved to tiered storage.'],
  FENCED_MEMBER_EPOCH: [
    110,
    false,
    'The member epoch is fenced. The member must give up its partitions and rejoin.',
  ],
  UNRELEASED_INSTANCE_ID: [
    111,
    false,
    'The instance ID is still used by another member, which must leave first.',
  ],
  UNSUPPORTED_ASSIGNOR: [
    112,
    false,
    'The assignor or its version range is not supported by the consumer group.',
  ],
  STALE_MEMBER_EPOCH: [
    113,
    false,
    'The member epoch is stale. The member must retry with its updated member epoch.',
  ],
  MISMATCHED_ENDPOINT_TYPE: [114, false, 'The request was sent to an endpoint of the wrong type.'],
  UNSUPPORTED_ENDPOINT_TYPE: [115, false, 'This endpoint type is not supported yet.'],
  UNKNOWN_CONTROLLER_ID: [116, false, 'This controller ID is not known.'],
  UNKNOWN_SUBSCRIPTION_ID: [
    117,
    false,
    'Client sent a push telemetry request with an invalid or outdated subscription ID.',
  ],
  TELEMETRY_TOO_LARGE: [
    118,
    false,
    'The telemetry pushed by the client is larger than the broker will accept.',
  ],
  INVALID_REGISTRATION: [
    119,
    false,
    'The controller has considered the broker registration to be invalid.',
  ],
  TRANSACTION_ABORTABLE: [
    120,
    false,
    'The transaction has failed. The client can abort it and go on with the same id.',
  ],
  INVALID_RECORD_STATE: [
    121,
    false,
    'The record state is invalid. The acknowledgement of delivery could not be completed.',
  ],
  SHARE_SESSION_NOT_FOUND: [122, true, 'The share session was not found.'],
  INVALID_SHARE_SESSION_EPOCH: [123, true, 'The share session epoch is invalid.'],
  FENCED_STATE_EPOCH: [
    124,
    false,
    'The share coordinator refused a request with an outdated state epoch.',
  ],
  INVALID_VOTER_KEY: [125, false, "The voter key doesn't match the receiving replica's key."],
  DUPLICATE_VOTER: [126, false, 'The voter is already part of the set of voters.'],
  VOTER_NOT_FOUND: [127, false, 'The voter is not part of the set of voters.'],
  INVALID_REGULAR_EXPRESSION: [128, false, 'The regular expression is not valid.'],
  REBOOTSTRAP_REQUIRED: [
    129,
    false,
    'Client metadata is stale. The client should rebootstrap to obtain new metadata.',
  ],
  STREAMS_INVALID_TOPOLOGY: [130, false, 'The supplied topology is invalid.'],
  STREAMS_INVALID_TOPOLOGY_EPOCH: [131, false, 'The supplied topology epoch is invalid.'],
  STREAMS_TOPOLOGY_FENCED: [132, false, 'The supplied topology epoch is outdated.'],
  SHARE_SESSION_LIMIT_REACHED: [133, true, 'The limit of share sessions has been reached.'],
} as const satisfies Record<string, readonly [code: number, retriable: boolean, message: string]>

/** The name of an error, as Kafka's documentation writes it: `NOT_LEADER_OR_FOLLOWER`. */
export type ErrorName = keyof typeof TABLE

/** What is known about an error code. */
export interface ErrorInfo {
  readonly name: ErrorName
  readonly code: number
  /** Whether a client may succeed by sending the same request again. */
  readonly retriable: boolean
  readonly message: string
}

const INFOS = new Map<number, ErrorInfo>()
for (const [name, [code, retriable, message]] of Object.entries(TABLE)) {
  INFOS.set(code, { name: name as ErrorName, code, retriable, message })
}

/** The code of each error by its name: `ErrorCode.NOT_LEADER_OR_FOLLOWER` is 6. */
export const ErrorCode = Object.fromEntries(
  Object.entries(TABLE).map(([name, [code]]) => [name, code]),
) as { readonly [Name in ErrorName]: (typeof TABLE)[Name][0] }

/** All errors, by ascending code. */
export function allErrors(): ErrorInfo[] {
  return [...INFOS.values()]
}

/** What is known about `code`. A code that is not in the table counts as UNKNOWN_SERVER_ERROR. */
export function errorInfo(code: number): ErrorInfo {
  return INFOS.get(code) ?? INFOS.get(ErrorCode.UNKNOWN_SERVER_ERROR)!
}

/** The name of `code`. A code that is not in the table counts as UNKNOWN_SERVER_ERROR. */
export function errorName(code: number): ErrorName {
  return errorInfo(code).name
}

/** An operating error on its way to the response that will carry its code. */
export class KafkaError extends Error {
  readonly errorName: ErrorName
  readonly code: number
  readonly retriable: boolean

  /** Without a `message` the error has the table's. */
  constructor(name: ErrorName, message?: string, options?: ErrorOptions) {
    const [code, retriable, defaultMessage] = TABLE[name]
    super(message ?? defaultMessage, options)
    this.name = 'KafkaError'
    this.errorName = name
    this.code = code
    this.retriable = retriable
  }
}
