/** How decompression fails, for all codecs alike. */
import { KafkaError } from '../errors.ts'

/** The input is not what its codec writes. */
export function corrupt(codec: string, reason: string, cause?: unknown): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', `Failed to decompress ${codec} data: ${reason}`, {
    cause,
  })
}

/** The output would be longer than the caller allows. */
export function tooLarge(maxBytes: number): KafkaError {
  return new KafkaError('MESSAGE_TOO_LARGE', `The data is larger than ${maxBytes} bytes.`)
}

/** Runs a codec's own decoder, whose every complaint is one of `corrupt` input. */
export function decoding<T>(codec: string, decode: () => T): T {
  try {
    return decode()
  } catch (cause) {
    throw corrupt(codec, (cause as Error).message, cause)
  }
}
