#!/usr/bin/env node
process.argv.splice(2, 0, 'kafka-transactions')
await import('../samsa.mjs')
