/**
 * Finds out, when the embedded store is opened, what its files say: the snapshot, if there is one,
 * and the journals that go on from it, as far as they form one unbroken history.
 *
 * What can be missing after a crash is the end of that history, and only what was not acknowledged:
 *
 *  - A frame at the end of a journal that is not valid was never synced, nor was anything after it.
 *    The frame and what follows are cut off, and later journals, which do not link to what is left,
 *    are removed.
 *  - A journal whose header is not valid was never synced either.
 *
 * Anything else that does not fit together is damage, and the store refuses to open rather than
 * forget topics.
 */
import type { Disk } from '../common/disk.ts'
import { readWholeFile } from '../common/disk.ts'
import type { JournalContents } from './metadata-journal.ts'
import { JOURNAL_HEADER_SIZE, MetadataJournal, readJournal } from './metadata-journal.ts'
import { readSnapshot } from './metadata-snapshot.ts'
import { MetadataError } from './metadata-store.ts'
import { NodeTree } from './node-tree.ts'

const JOURNAL_NAME = /^samsa-metadata-[0-9a-f]{16}\.journal$/

export function snapshotPath(directory: string): string {
  return `${directory}/samsa-metadata.snapshot`
}

export function journalPath(directory: string, firstZxid: number): string {
  return `${directory}/samsa-metadata-${firstZxid.toString(16).padStart(16, '0')}.journal`
}

export interface LoadedMetadata {
  readonly tree: NodeTree
  /** The last transaction. */
  readonly zxid: number
  readonly snapshotBytes: number
  /** Oldest first, the current one last. They are open, and at their ends. */
  readonly journals: MetadataJournal[]
}

/** Loads the store in `directory`, or begins one. Rejects with DiskError, or with SYSTEM_ERROR. */
export async function loadMetadata(disk: Disk, directory: string): Promise<LoadedMetadata> {
  disk.remove(`${snapshotPath(directory)}.tmp`)
  const snapshotBytes = readWholeFile(disk, snapshotPath(directory))
  const snapshot = snapshotBytes && readSnapshot(snapshotBytes)
  if (snapshotBytes !== undefined && snapshot === undefined) {
    throw damaged(snapshotPath(directory), 'its checksum is wrong')
  }
  const tree = snapshot?.tree ?? new NodeTree()
  const start = snapshot?.position ?? { zxid: 0, link: 0 }
  const paths = disk
    .list(directory)
    .filter((name) => JOURNAL_NAME.test(name))
    .sort()
  const { live, dead } = sortJournals(
    paths.map((name) => `${directory}/${name}`),
    (path) => readWholeFile(disk, path) ?? Buffer.alloc(0),
    start,
  )
  let zxid = start.zxid
  for (const { contents } of live) {
    for (const transaction of contents.transactions) {
      if (transaction.zxid <= zxid) continue
      for (const effect of transaction.effects) {
        tree.apply(effect, transaction.zxid, transaction.timeMs)
      }
      zxid = transaction.zxid
    }
  }
  for (const path of dead) disk.remove(path)
  if (dead.length > 0) await disk.syncDirectory(directory)
  const journals = live.map(({ path, contents }) => MetadataJournal.reopen(disk, path, contents))
  if (journals.length === 0) {
    if (snapshot !== undefined) throw damaged(directory, 'the journal of its snapshot is missing')
    journals.push(await beginJournal(disk, directory))
  }
  return { tree, zxid, snapshotBytes: snapshotBytes?.length ?? 0, journals }
}

/**
 * The first journal, durable before anything is put into it: its header is then above suspicion.
 */
async function beginJournal(disk: Disk, directory: string): Promise<MetadataJournal> {
  const journal = MetadataJournal.create(disk, journalPath(directory, 1), 1, 0)
  await journal.sync()
  await disk.syncDirectory(directory)
  return journal
}

/** Tells the journals that make up the history after `start` from those that can go. */
function sortJournals(
  paths: readonly string[],
  read: (path: string) => Buffer,
  start: { zxid: number; link: number },
): { live: { path: string; contents: JournalContents }[]; dead: string[] } {
  const live: { path: string; contents: JournalContents }[] = []
  const dead: string[] = []
  let end = start
  for (const [index, path] of paths.entries()) {
    const bytes = read(path)
    const contents = readJournal(bytes)
    if (contents === undefined) {
      // Nothing is put into the first journal before its header is durable.
      if (index === 0 && bytes.length > JOURNAL_HEADER_SIZE) {
        throw damaged(path, 'its header is wrong')
      }
      dead.push(path)
      continue
    }
    const lastZxid = contents.firstZxid + contents.transactions.length - 1
    const covered = lastZxid <= start.zxid && contents.firstZxid <= start.zxid
    const continues = contents.firstZxid === end.zxid + 1 && contents.link === end.link
    if (continues) {
      live.push({ path, contents })
      end = { zxid: lastZxid, link: contents.chain }
    } else if (covered || live.length > 0) {
      dead.push(path)
    } else {
      throw damaged(path, `the transactions from ${end.zxid + 1} on are missing`)
    }
  }
  return { live, dead }
}

function damaged(path: string, reason: string): MetadataError {
  return new MetadataError('SYSTEM_ERROR', '/', {
    message: `The metadata in ${path} is damaged: ${reason}`,
  })
}
