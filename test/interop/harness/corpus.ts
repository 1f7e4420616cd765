/**
 * The real file that goes through the clients: every text file under node_modules, one after the
 * other in the order of their paths, the list repeated until the wanted size is reached. A line
 * before each file says which it is and which round, so no two parts of the corpus are alike.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { paths } from './paths.ts'

const textEndings = /\.(md|js|mjs|cjs|ts|mts|cts|json|txt|map|css|html|ya?ml)$|\/LICENSE$/

export interface Corpus {
  path: string
  bytes: number
  sha256: string
}

/** The SHA-256 of a file, in hexadecimal. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}

/** Returns a corpus of at least so many megabytes, from the cache when nothing has changed. */
export async function corpus(megabytes: number): Promise<Corpus> {
  const root = join(paths.repository, 'node_modules')
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => textEndings.test(path))
    .sort((one, other) => (one < other ? -1 : 1))
  const list = createHash('sha256').update(String(megabytes))
  for (const file of files) list.update(`${file} ${statSync(join(root, file)).size}\n`)
  const path = join(paths.cache, `corpus-${megabytes}-${list.digest('hex').slice(0, 12)}`)
  if (!existsSync(path)) build(path, root, files, megabytes * (1 << 20))
  return { path, bytes: statSync(path).size, sha256: await sha256(path) }
}

function build(path: string, root: string, files: string[], size: number): void {
  if (files.length === 0) throw new Error(`no text file under ${root}: run npm install first`)
  mkdirSync(paths.cache, { recursive: true })
  for (const name of readdirSync(paths.cache)) {
    if (name.startsWith('corpus-')) rmSync(join(paths.cache, name))
  }
  const contents = files.map((file) => readFileSync(join(root, file)))
  const unfinished = `${path}.unfinished`
  const output = openSync(unfinished, 'w')
  let written = 0
  for (let round = 1; written < size; round++) {
    for (const [index, content] of contents.entries()) {
      if (written >= size) break
      const heading = Buffer.from(`\n==> ${files[index]} (round ${round}) <==\n`)
      written += writeSync(output, Buffer.concat([heading, content]))
    }
  }
  closeSync(output)
  renameSync(unfinished, path)
}
