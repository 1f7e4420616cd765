/**
 * Failures as Kafka's tools meet them: a client's call throws an ExecutionException around what
 * went wrong, and some tools put a RuntimeException around that. Their output names all of them.
 */
import { KafkaError, PartialFailureError } from '../../clients/errors.ts'
import { javaText, ToolError } from '../support/tool.ts'

/** The outcome of a call about several things: the first failure is that of the call. */
export async function orFirstFailure<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call
  } catch (error) {
    throw error instanceof PartialFailureError ? [...error.failures.values()][0]! : error
  }
}

/** What a call of a client throws. */
export function executionFailure(error: unknown): unknown {
  return wrapped(error, 'java.util.concurrent.ExecutionException')
}

/** The same where the tool has caught it and throws it on. */
export function runtimeFailure(error: unknown): unknown {
  return wrapped(executionFailure(error), 'java.lang.RuntimeException')
}

function wrapped(error: unknown, className: string): unknown {
  if (!(error instanceof KafkaError) && !(error instanceof ToolError)) return error
  return new ToolError(javaText(error), { className })
}

/** Waits for a call, whose failure is thrown on as the tool does it. */
export async function rethrowing<Result>(
  call: Promise<Result>,
  asFailure: (error: unknown) => unknown,
): Promise<Result> {
  try {
    return await orFirstFailure(call)
  } catch (error) {
    throw asFailure(error)
  }
}

/** An error with the message that Kafka has for it, whatever our client says about it. */
export function plainError(error: KafkaError): KafkaError {
  return new KafkaError(error.errorName)
}
