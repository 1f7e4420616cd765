/**
 * The metadata store of a broker, or of several in one process, that does without ZooKeeper: a tree
 * in memory, a journal and a snapshot on disk.
 *
 * An operation is checked and applied in memory at once, and its transaction appended to the
 * journal. What it did is told to anybody, its caller, readers and watchers alike, only when a sync
 * has made it durable; so nobody ever acts on something that a power cut takes back. One sync
 * serves all the transactions appended before it. Outcomes are told in the order of the operations.
 *
 * Files, in the folder given: `samsa-metadata-<first zxid, 16 hex digits>.journal`, usually one,
 * and `samsa-metadata.snapshot`. They are meant to lie directly in a log directory: Apache Kafka
 * refuses to start over a *folder* there whose name is not a topic and partition, and overlooks
 * files.
 *
 * When the journal has grown, a new one is begun and the tree as of then is written to a snapshot
 * in the background; then the old journal goes. When opened, the store loads the snapshot and
 * replays the journals, then deletes the ephemeral nodes, whose sessions died with the process.
 *
 * A disk that refuses a write (it is full) fails that operation with SYSTEM_ERROR, and the store
 * goes on. A failed sync leaves unknown what is on disk: the store fails, for good, and everything
 * under way and after rejects with CONNECTION_LOSS.
 */
import type { Clock } from '../common/clock.ts'
import type { Disk } from '../common/disk.ts'
import { DiskError } from '../common/disk.ts'
import { EmbeddedSession } from './embedded-session.ts'
import { MetadataJournal } from './metadata-journal.ts'
import type { LoadedMetadata } from './metadata-recovery.ts'
import { journalPath, loadMetadata, snapshotPath } from './metadata-recovery.ts'
import { writeSnapshot } from './metadata-snapshot.ts'
import type {
  MetadataOperation,
  MetadataOperationResult,
  MetadataService,
  MetadataStore,
} from './metadata-store.ts'
import { ANY_VERSION, MetadataError } from './metadata-store.ts'
import type { NodeTree } from './node-tree.ts'
import { Transaction } from './node-tree.ts'
import { WatchTable } from './watch-table.ts'

export interface EmbeddedStoreOptions {
  readonly disk: Disk
  readonly clock: Clock
  /** An existing folder, best a log directory. Only one store may be open on it. */
  readonly directory: string
  /** The journal's size in bytes at which a snapshot is due, if the snapshot is not larger. */
  readonly snapshotAfterBytes?: number
  /** Called once if the store fails, that is, a sync does. */
  readonly onFailure?: (error: Error) => void
}

/** Something to be told once everything up to transaction `zxid` is durable. */
interface Outcome {
  readonly zxid: number
  readonly settle: () => void
  readonly fail: (error: MetadataError) => void
}

export class EmbeddedStore implements MetadataService {
  readonly #options: EmbeddedStoreOptions
  readonly #tree: NodeTree
  readonly #watches = new WatchTable()
  readonly #sessions = new Map<bigint, EmbeddedSession>()
  /** In the order of the operations. */
  readonly #outcomes: Outcome[] = []
  /** Oldest first. The last one is written to; the others wait for a snapshot that covers them. */
  #journals: MetadataJournal[]
  /** Whether the last journal's name and all of the older ones are durable. */
  #journalsSettled = false
  #zxid: number
  #durableZxid = 0
  /** The size in bytes of the last journal at which the next snapshot is due. */
  #snapshotDueAtBytes: number
  #syncing: Promise<void> | undefined
  #snapshotting: Promise<void> | undefined
  #failure: Error | undefined

  private constructor(options: EmbeddedStoreOptions, loaded: LoadedMetadata) {
    this.#options = options
    this.#tree = loaded.tree
    this.#journals = loaded.journals
    this.#zxid = loaded.zxid
    this.#snapshotDueAtBytes = this.#snapshotThreshold(loaded.snapshotBytes)
  }

  /**
   * Opens the store in a folder, or begins one where there is none. Rejects with MetadataError
   * (SYSTEM_ERROR) where what is there is damaged, with DiskError where the disk fails.
   */
  static async open(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
    const store = new EmbeddedStore(options, await loadMetadata(options.disk, options.directory))
    const orphans = store.#tree.ephemerals()
    if (orphans.length > 0) {
      await store.#host.write(
        orphans.map((path) => ({ type: 'delete', path, version: ANY_VERSION })),
        0,
      )
    }
    return store
  }

  async openSession(): Promise<MetadataStore> {
    // A transaction without effects takes the next id, so that a session's id is never used twice.
    // Nothing depends on it before the session's first write, which makes it durable.
    const transaction = this.#begin(0)
    this.#append(transaction)
    const session = new EmbeddedSession(transaction.zxid, this.#host)
    this.#sessions.set(session.sessionId, session)
    return session
  }

  /**
   * Ends a session as ZooKeeper ends one it has not heard of for too long. For tests and operators.
   */
  async expireSession(sessionId: bigint): Promise<void> {
    const session = this.#sessions.get(sessionId)
    if (session !== undefined) await this.#endSession(session, 'expired')
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.close()))
    await this.#snapshotting
    await this.#syncing
    for (const journal of this.#journals) journal.close()
    this.#failure ??= new Error('the metadata store is closed')
  }

  readonly #host = {
    read: <Result>(path: string, evaluate: (tree: NodeTree) => Result): Promise<Result> => {
      this.#checkWorking(path)
      return this.#tell(() => evaluate(this.#tree))
    },
    write: (
      operations: readonly MetadataOperation[],
      sessionId: number,
    ): Promise<MetadataOperationResult[]> => {
      this.#checkWorking(operations[0]?.path ?? '/')
      return this.#tell(() => this.#execute(operations, sessionId))
    },
    endSession: (session: EmbeddedSession, state: 'expired' | 'closed') =>
      this.#endSession(session, state),
    watches: this.#watches,
  }

  get #journal(): MetadataJournal {
    return this.#journals.at(-1)!
  }

  /** A snapshot is written when the journal is as large, so that writing costs twice at most. */
  #snapshotThreshold(snapshotBytes: number): number {
    return Math.max(this.#options.snapshotAfterBytes ?? 1024 * 1024, snapshotBytes)
  }

  #checkWorking(path: string): void {
    if (this.#failure !== undefined) {
      throw new MetadataError('CONNECTION_LOSS', path, { cause: this.#failure })
    }
  }

  /**
   * Does something now, and resolves to its result, or rejects with its error, when everything that
   * it saw is durable. Even a failure is told only then: that a node exists may yet prove untrue.
   */
  #tell<Result>(action: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      let settle: () => void
      try {
        const result = action()
        settle = () => resolve(result)
      } catch (error) {
        settle = () => reject(error)
      }
      this.#enqueue(settle, reject)
    })
  }

  #enqueue(settle: () => void, fail: (error: MetadataError) => void): void {
    this.#outcomes.push({ zxid: this.#zxid, settle, fail })
    this.#settleOutcomes()
    if (this.#outcomes.length > 0) void this.#makeDurable()
  }

  #settleOutcomes(): void {
    let count = 0
    while (
      this.#outcomes[count] !== undefined &&
      this.#outcomes[count]!.zxid <= this.#durableZxid
    ) {
      this.#outcomes[count]!.settle()
      count += 1
    }
    this.#outcomes.splice(0, count)
  }

  #begin(sessionId: number): Transaction {
    const timeMs = this.#options.clock.now()
    return new Transaction(this.#tree, { zxid: this.#zxid + 1, timeMs, sessionId })
  }

  #execute(operations: readonly MetadataOperation[], sessionId: number): MetadataOperationResult[] {
    const transaction = this.#begin(sessionId)
    const results: MetadataOperationResult[] = []
    for (const [operationIndex, operation] of operations.entries()) {
      try {
        results.push(transaction.run(operation))
      } catch (error) {
        transaction.rollback()
        if (!(error instanceof MetadataError)) throw error
        const { message } = error
        throw new MetadataError(error.code, error.path, { message, operationIndex })
      }
    }
    if (transaction.effects.length === 0) return results
    this.#append(transaction)
    const watchers = transaction.effects.flatMap((effect) => this.#watches.trigger(effect))
    if (watchers.length > 0) {
      // Each in a microtask of its own, so that one that throws does not silence the others.
      const notify = () => {
        for (const watcher of watchers) queueMicrotask(watcher)
      }
      this.#outcomes.push({ zxid: this.#zxid, settle: notify, fail: () => {} })
    }
    return results
  }

  /** Puts a transaction into the journal, or rolls it back and throws SYSTEM_ERROR. */
  #append(transaction: Transaction): void {
    this.#checkWorking('/')
    try {
      this.#journal.append(transaction)
    } catch (error) {
      const path = transaction.effects[0]?.path ?? '/'
      transaction.rollback()
      if (!(error instanceof DiskError)) throw error
      throw new MetadataError('SYSTEM_ERROR', path, { message: error.message, cause: error })
    }
    this.#zxid = transaction.zxid
    if (this.#journal.size >= this.#snapshotDueAtBytes) this.#snapshotting ??= this.#snapshot()
  }

  /** Syncs until nobody waits for it. Never rejects; a failure is the store's. */
  #makeDurable(): Promise<void> {
    this.#syncing ??= this.#syncUntilDurable()
    return this.#syncing
  }

  async #syncUntilDurable(): Promise<void> {
    // What else is written in this turn of the event loop shares the sync.
    await undefined
    try {
      while (this.#failure === undefined && (this.#outcomes.length > 0 || !this.#journalsSettled)) {
        const zxid = this.#zxid
        await this.#syncJournals()
        this.#durableZxid = zxid
        this.#settleOutcomes()
      }
    } catch (error) {
      this.#fail(error as Error)
    } finally {
      this.#syncing = undefined
    }
  }

  async #syncJournals(): Promise<void> {
    const last = this.#journal
    if (this.#journalsSettled) return await last.sync()
    // A transaction counts only together with all those before it.
    for (const journal of this.#journals) await journal.sync()
    await this.#options.disk.syncDirectory(this.#options.directory)
    this.#journalsSettled = last === this.#journal
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    const loss = new MetadataError('CONNECTION_LOSS', '/', { cause: error })
    for (const outcome of this.#outcomes.splice(0)) outcome.fail(loss)
    for (const session of this.#sessions.values()) session.enter('disconnected')
    this.#options.onFailure?.(error)
  }

  async #endSession(session: EmbeddedSession, state: 'expired' | 'closed'): Promise<void> {
    if (!this.#sessions.delete(session.sessionId)) return
    this.#watches.drop(session)
    session.enter(state)
    if (this.#failure !== undefined) return
    const paths = this.#tree.ephemerals(Number(session.sessionId))
    const operations = paths.map(
      (path) => ({ type: 'delete', path, version: ANY_VERSION }) as const,
    )
    // If the disk refuses even this, the nodes stay until the store is opened the next time.
    await this.#host.write(operations, 0).catch((error: unknown) => {
      if (!(error instanceof MetadataError)) throw error
    })
  }

  /** Begins a new journal, and puts a snapshot in the place of those before it. Never rejects. */
  async #snapshot(): Promise<void> {
    const { disk, clock, directory } = this.#options
    await undefined
    try {
      const position = { zxid: this.#zxid, link: this.#journal.chain }
      const path = journalPath(directory, position.zxid + 1)
      const next = MetadataJournal.create(disk, path, position.zxid + 1, position.link)
      const nodes = this.#tree.nodes()
      this.#journals = [...this.#journals, next]
      this.#journalsSettled = false
      // The new journal must be safe before the old ones become superfluous.
      await this.#makeDurable()
      if (this.#failure !== undefined) return
      await writeSnapshot(disk, clock, snapshotPath(directory), position, nodes)
      const covered = this.#journals.slice(0, this.#journals.indexOf(next))
      this.#journals = this.#journals.slice(covered.length)
      this.#snapshotDueAtBytes = this.#snapshotThreshold(
        disk.stat(snapshotPath(directory))?.size ?? 0,
      )
      for (const journal of covered) {
        journal.close()
        disk.remove(journal.path)
      }
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      // The journals still hold everything. Try again when as much again has been written.
      this.#snapshotDueAtBytes = this.#journal.size + this.#snapshotThreshold(0)
    } finally {
      this.#snapshotting = undefined
    }
  }
}
