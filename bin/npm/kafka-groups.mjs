#!/usr/bin/env node
process.argv.splice(2, 0, 'kafka-groups')
await import('../samsa.mjs')
