/**
 * One session with the embedded store. It cannot be cut off from a store in its own process, so it
 * is `connected` until it is closed or expired, or `disconnected` for good when the store fails.
 */
import type {
  CreateOptions,
  MetadataOperation,
  MetadataOperationResult,
  MetadataStore,
  NodeStat,
  SessionState,
  Watcher,
} from './metadata-store.ts'
import { checkPath, MetadataError } from './metadata-store.ts'
import type { NodeTree } from './node-tree.ts'
import type { WatchTable } from './watch-table.ts'

/** What a session needs of its store. */
export interface EmbeddedSessionHost {
  /** Evaluates on the tree as it is now; resolves once everything it saw is durable. */
  read<Result>(path: string, evaluate: (tree: NodeTree) => Result): Promise<Result>
  /** Runs operations as one transaction; resolves once it is durable. */
  write(
    operations: readonly MetadataOperation[],
    sessionId: number,
  ): Promise<MetadataOperationResult[]>
  endSession(session: EmbeddedSession, state: 'expired' | 'closed'): Promise<void>
  readonly watches: WatchTable
}

export class EmbeddedSession implements MetadataStore {
  readonly sessionId: bigint
  readonly #host: EmbeddedSessionHost
  readonly #listeners = new Set<(state: SessionState) => void>()
  #state: SessionState = 'connected'

  constructor(sessionId: number, host: EmbeddedSessionHost) {
    this.sessionId = BigInt(sessionId)
    this.#host = host
  }

  get state(): SessionState {
    return this.#state
  }

  /** Changes the state, and tells the listeners soon. For the store. */
  enter(state: SessionState): void {
    if (this.#state === state) return
    this.#state = state
    for (const listener of this.#listeners) {
      queueMicrotask(() => {
        if (this.#listeners.has(listener)) listener(state)
      })
    }
  }

  onStateChange(listener: (state: SessionState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async create(
    path: string,
    data: Uint8Array,
    options: CreateOptions = {},
  ): Promise<{ path: string; stat: NodeStat }> {
    const [created] = await this.#writeOne({ type: 'create', path, data, ...options })
    return { path: created!.path, stat: created!.stat! }
  }

  async set(path: string, data: Uint8Array, version: number): Promise<NodeStat> {
    const [result] = await this.#writeOne({ type: 'set', path, data, version })
    return result!.stat!
  }

  async delete(path: string, version: number): Promise<void> {
    await this.#writeOne({ type: 'delete', path, version })
  }

  get(path: string, watcher?: Watcher): Promise<{ data: Buffer; stat: NodeStat }> {
    return this.#read(path, (tree) => {
      const node = tree.get(path)
      if (node === undefined) throw new MetadataError('NO_NODE', path)
      this.#arm('data', path, watcher)
      // A copy: what the caller does with the bytes must not change the node.
      return { data: Buffer.from(node.data), stat: tree.stat(node) }
    })
  }

  children(path: string, watcher?: Watcher): Promise<{ names: string[]; stat: NodeStat }> {
    return this.#read(path, (tree) => {
      const node = tree.get(path)
      if (node === undefined) throw new MetadataError('NO_NODE', path)
      this.#arm('children', path, watcher)
      return { names: tree.childNames(path), stat: tree.stat(node) }
    })
  }

  exists(path: string, watcher?: Watcher): Promise<NodeStat | undefined> {
    return this.#read(path, (tree) => {
      this.#arm('data', path, watcher)
      const node = tree.get(path)
      return node && tree.stat(node)
    })
  }

  async multi(operations: readonly MetadataOperation[]): Promise<MetadataOperationResult[]> {
    this.#checkAlive(operations[0]?.path ?? '/')
    return await this.#host.write(operations, Number(this.sessionId))
  }

  /** Nothing to catch up with: there is one copy of the tree. Waits for what is being written. */
  sync(): Promise<void> {
    return this.#read('/', () => undefined)
  }

  async close(): Promise<void> {
    await this.#host.endSession(this, 'closed')
  }

  /** As a `multi` of one, except that an error does not carry an index. */
  async #writeOne(operation: MetadataOperation): Promise<MetadataOperationResult[]> {
    try {
      return await this.multi([operation])
    } catch (error) {
      if (!(error instanceof MetadataError)) throw error
      throw new MetadataError(error.code, error.path, {
        message: error.message,
        cause: error.cause,
      })
    }
  }

  async #read<Result>(path: string, evaluate: (tree: NodeTree) => Result): Promise<Result> {
    this.#checkAlive(path)
    checkPath(path)
    return await this.#host.read(path, evaluate)
  }

  #arm(kind: 'data' | 'children', path: string, watcher: Watcher | undefined): void {
    if (watcher !== undefined) this.#host.watches.arm(kind, path, watcher, this)
  }

  #checkAlive(path: string): void {
    if (this.#state === 'expired' || this.#state === 'closed') {
      throw new MetadataError('SESSION_EXPIRED', path)
    }
  }
}
