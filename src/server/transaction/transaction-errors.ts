/** How clients that do not know PRODUCER_FENCED yet learn of it. */
import { ErrorCode, type KafkaError } from '../../common/errors.ts'

/** The error's code, or INVALID_PRODUCER_EPOCH in its place where the client does not know it. */
export function fencedErrorCode(error: KafkaError, knowsProducerFenced: boolean): number {
  const isUnknown = error.errorName === 'PRODUCER_FENCED' && !knowsProducerFenced
  return isUnknown ? ErrorCode.INVALID_PRODUCER_EPOCH : error.code
}
