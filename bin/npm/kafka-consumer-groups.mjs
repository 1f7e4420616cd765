#!/usr/bin/env node
process.argv.splice(2, 0, 'kafka-consumer-groups')
await import('../samsa.mjs')
