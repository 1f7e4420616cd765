/**
 * DescribeLogDirs tells the size of each partition in each of the broker's log directories
 * (KIP-113).
 *
 * A null list asks for all topics. 3 adds an error for the whole response, 4 the room on the volume
 * (KIP-827).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int16, int32, int64, string } from '../schema.ts'

export const DescribeLogDirs = api({
  key: 35,
  name: 'DescribeLogDirs',
  versions: '1-4',
  flexible: '2+',
  request: {
    topics: array({ topic: string(), partitions: array(int32()) }, { nullable: '0+' }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ versions: '3+', ignorable: true }),
    results: array({
      errorCode: int16(),
      /** An absolute path. */
      logDir: string(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          partitionSize: int64(),
          /** How far the log lags behind the high watermark; a future log, behind the current. */
          offsetLag: int64(),
          /** The log will take the place of the current one: it moves between directories. */
          isFutureKey: bool(),
        }),
      }),
      totalBytes: int64({ versions: '4+', default: -1, ignorable: true }),
      usableBytes: int64({ versions: '4+', default: -1, ignorable: true }),
    }),
  },
})

export interface DescribeLogDirsRequest extends RequestOf<typeof DescribeLogDirs> {}
export interface DescribeLogDirsResponse extends ResponseOf<typeof DescribeLogDirs> {}
