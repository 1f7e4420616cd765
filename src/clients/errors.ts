/**
 * What clients throw. Every error is a KafkaError: it has Kafka's `code` and `errorName`, and says
 * whether the same call may succeed if it is made again (`retriable`). `isFatal` says whether the
 * client that threw it is of no further use.
 */
import { type ErrorName, errorName, KafkaError } from '../common/errors.ts'

export { ConfigError } from '../common/config/config-value.ts'
export { KafkaError }

/** Something took longer than it was allowed to. `cause` is what went wrong last, if anything. */
export class TimeoutError extends KafkaError {
  constructor(message: string, options?: ErrorOptions) {
    super('REQUEST_TIMED_OUT', message, options)
    this.name = 'TimeoutError'
  }
}

/** The client was closed before the work was done. */
export class ClosedError extends KafkaError {
  constructor(message = 'The client is closed') {
    super('UNKNOWN_SERVER_ERROR', message)
    this.name = 'ClosedError'
  }
}

/** A key or a value could not be made into bytes; `cause` is what the serializer threw. */
export class SerializationError extends KafkaError {
  constructor(message: string, options?: ErrorOptions) {
    super('INVALID_RECORD', message, options)
    this.name = 'SerializationError'
  }
}

/** A call that does not fit the state of its client: a mistake of the program. */
export class IllegalStateError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'IllegalStateError'
  }
}

/**
 * Some of the things asked for in one call failed. The error is that of the first failure.
 */
export class PartialFailureError<Result = unknown> extends KafkaError {
  /** What failed, by the name of the thing. */
  readonly failures: ReadonlyMap<string, KafkaError>
  /** What succeeded. */
  readonly results: ReadonlyMap<string, Result>

  constructor(failures: ReadonlyMap<string, KafkaError>, results: ReadonlyMap<string, Result>) {
    const [name, first] = [...failures][0]!
    const others = failures.size === 1 ? '' : ` (and ${failures.size - 1} more)`
    super(first.errorName, `${name}: ${first.message}${others}`, { cause: first })
    this.name = 'PartialFailureError'
    this.failures = failures
    this.results = results
  }
}

/** Errors after which a client cannot go on. */
const FATAL: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'UNSUPPORTED_VERSION',
  'FENCED_INSTANCE_ID',
])

/** Whether the client that threw `error` is of no further use and should be closed. */
export function isFatal(error: unknown): boolean {
  return error instanceof KafkaError && FATAL.has(error.errorName)
}

/** The error for a code of the protocol, with the broker's own message where it sent one. */
export function errorForCode(code: number, message?: string | null): KafkaError {
  return new KafkaError(errorName(code), message ?? undefined)
}

/** Throws the error for `code`, unless it is NONE. */
export function throwIfError(code: number, message?: string | null): void {
  if (code !== 0) throw errorForCode(code, message)
}
