#!/usr/bin/env node
process.argv.splice(2, 0, 'kafka-reassign-partitions')
await import('../samsa.mjs')
