/** franz-go speaks the newest versions of all; the Java consumer reads what it wrote, too. */
import { test } from 'node:test'
import { goClient, javaClient, transferFile } from './harness/file-transfer.ts'

test('a file goes through franz-go and comes back', { timeout: 600_000 }, (t) =>
  transferFile(t, goClient, [goClient, javaClient]),
)
