#!/usr/bin/env node
process.argv.splice(2, 0, 'kafka-broker-api-versions')
await import('../samsa.mjs')
