#!/usr/bin/env node
process.argv.splice(2, 0, 'kafka-server-stop')
await import('../samsa.mjs')
