#!/usr/bin/env node
process.argv.splice(2, 0, 'kafka-verifiable-producer')
await import('../samsa.mjs')
