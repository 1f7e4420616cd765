#!/usr/bin/env node
/**
 * Starts Samsa's programs: `samsa COMMAND [ARG…]`, where COMMAND is `start` or the name of one of
 * Kafka's tools. Uses the built bundle, or in a clone that is not built the sources themselves.
 *
 * Plain JavaScript that an old Node can read, so that it can say that it is too old.
 */
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { fileURLToPath } from 'node:url'

const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  console.error(`Samsa needs Node.js 24 or newer, and this is ${process.version}.`)
  process.exit(1)
}
nodeModule.enableCompileCache()
const bundle = new URL('../dist/samsa.js', import.meta.url)
const source = new URL('../src/tools/main.ts', import.meta.url)
const { main } = await import(existsSync(fileURLToPath(bundle)) ? bundle.href : source.href)
await main(process.argv.slice(2))
