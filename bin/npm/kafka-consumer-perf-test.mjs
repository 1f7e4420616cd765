#!/usr/bin/env node
process.argv.splice(2, 0, 'kafka-consumer-perf-test')
await import('../samsa.mjs')
