#!/usr/bin/env node
import { fileURLToPath } from 'node:url'

process.argv.splice(
  1,
  1,
  fileURLToPath(new URL('../samsa.mjs', import.meta.url)),
  'kafka-console-share-consumer',
)
await import('../samsa.mjs')
