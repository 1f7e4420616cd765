/** Apache Kafka's own producer (idempotent by default) and consumer, with assigned partitions. */
import { test } from 'node:test'
import { javaClient, transferFile } from './harness/file-transfer.ts'

test('a file goes through the Java clients and comes back', { timeout: 600_000 }, (t) =>
  transferFile(t, javaClient, [javaClient]),
)
