/** Errors as kafka-transactions tells of them. */
import { KafkaError } from '../../clients/errors.ts'
import { firstFailure, ToolError } from '../support/tool.ts'

/**
 * Waits for a call of the client; a failure ends the tool with `what` in front of it. `explain`
 * has Kafka's words for errors of which the protocol has but the code.
 */
export async function orFail<Result>(
  call: Promise<Result>,
  what: string,
  explain: (error: KafkaError) => string | undefined = () => undefined,
): Promise<Result> {
  try {
    return await call
  } catch (thrown) {
    const error = firstFailure(thrown)
    if (!(error instanceof KafkaError)) throw error
    const why = explain(error) ?? error.message
    throw failure(what, why)
  }
}

/** The error that says what has failed, and why. */
export function failure(what: string, why: string): ToolError {
  return new ToolError(`${what}: ${why}. Enable debug logging for additional detail.`)
}
