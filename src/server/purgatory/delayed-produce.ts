/**
 * A produce with acks=all that is in the leader's log and waits until every in-sync replica has it:
 * until each partition's high watermark has reached the end of what was appended.
 */
import type { Completion } from '../../common/completion.ts'
import { ErrorCode } from '../../common/errors.ts'
import type { AppendResult } from '../replica-manager.ts'
import type { DelayedOperation } from './purgatory.ts'

export class DelayedProduce implements DelayedOperation {
  readonly #results: readonly AppendResult[]
  readonly #completion: Completion<readonly AppendResult[]>

  constructor(results: readonly AppendResult[], completion: Completion<readonly AppendResult[]>) {
    this.#results = results
    this.#completion = completion
  }

  tryComplete(): boolean {
    for (const result of this.#results) {
      if (!isPending(result)) continue
      const failure = result.partition!.leadershipError(-1)
      if (failure !== undefined) result.errorCode = failure.code
      else if (result.partition!.highWatermark < result.requiredOffset) return false
    }
    this.#completion.complete(this.#results)
    return true
  }

  expire(): void {
    for (const result of this.#results) {
      if (isPending(result) && result.partition!.highWatermark < result.requiredOffset) {
        result.errorCode = ErrorCode.REQUEST_TIMED_OUT
      }
    }
    this.#completion.complete(this.#results)
  }
}

function isPending(result: AppendResult): boolean {
  return result.errorCode === ErrorCode.NONE && result.partition !== undefined
}
