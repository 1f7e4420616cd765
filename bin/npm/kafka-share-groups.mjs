#!/usr/bin/env node
process.argv.splice(2, 0, 'kafka-share-groups')
await import('../samsa.mjs')
