#!/usr/bin/env node
process.argv.splice(2, 0, 'kafka-producer-perf-test')
await import('../samsa.mjs')
