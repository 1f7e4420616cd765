/**
 * Where a cluster keeps what all its brokers must agree on: brokers, topics, assignments, leaders,
 * configs. The model is ZooKeeper's, because a real ZooKeeper ensemble is one of the stores behind
 * this interface: a tree of small versioned nodes, ephemeral nodes that vanish with the session
 * that made them, one-shot watches, and `multi`, which does all of several operations or none.
 *
 * A `MetadataService` is the place (an embedded store, an ensemble); a `MetadataStore` is one
 * session with it, and each broker has its own. What holds for every implementation:
 *
 *  - Writes are linearizable. A write that has resolved is durable and is seen by every later read
 *    of the same session; another session sees it after its own `sync`.
 *  - A version starts at 0 and grows by one with each `set`. `ANY_VERSION` (-1) is the only
 *    wildcard: 0 is a real version, and a compare-and-set against it is a real comparison.
 *  - CONNECTION_LOSS on a write means that its outcome is unknown. The caller finds out by reading
 *    again (owner, data, version), never by repeating the write blindly.
 *  - A watch is a hint that something has changed, no more. It fires at most once, after the change
 *    is visible, from the event loop; the watcher reads again, which also arms the next watch.
 *  - Expiry is final: a session whose state is `expired` or `closed` never works again, and its
 *    ephemeral nodes are gone. Going on takes a new session, and reading everything anew.
 */

/** Why an operation failed. The names are ZooKeeper's. */
export type MetadataErrorCode =
  /** The node, or the parent of the one to be created, does not exist. */
  | 'NO_NODE'
  | 'NODE_EXISTS'
  /** The node's version is not the expected one. */
  | 'BAD_VERSION'
  /** The node to be deleted has children. */
  | 'NOT_EMPTY'
  | 'NO_CHILDREN_FOR_EPHEMERALS'
  /** The session is over; see `MetadataStore.state`. Nothing was done. */
  | 'SESSION_EXPIRED'
  /** The store was lost during the operation, whose outcome is therefore unknown. */
  | 'CONNECTION_LOSS'
  /** The operation took too long; its outcome is unknown. */
  | 'OPERATION_TIMEOUT'
  /** A malformed path, or an impossible request such as deleting the root. */
  | 'BAD_ARGUMENTS'
  | 'NO_AUTH'
  | 'AUTH_FAILED'
  /** The store could not carry the operation out (its disk is full, say). Nothing was done. */
  | 'SYSTEM_ERROR'

export class MetadataError extends Error {
  readonly code: MetadataErrorCode
  /** The path of the operation that failed. */
  readonly path: string
  /** In a failed `multi`, which of its operations failed. */
  readonly operationIndex: number | undefined

  constructor(
    code: MetadataErrorCode,
    path: string,
    options: { message?: string; operationIndex?: number | undefined; cause?: unknown } = {},
  ) {
    super(options.message ?? `${code} for ${path}`, { cause: options.cause })
    this.name = 'MetadataError'
    this.code = code
    this.path = path
    this.operationIndex = options.operationIndex
  }
}

/** True for a MetadataError with one of the given codes. */
export function isMetadataError(error: unknown, ...codes: MetadataErrorCode[]): boolean {
  return error instanceof MetadataError && codes.includes(error.code)
}

/** Matches every version. */
export const ANY_VERSION = -1

/** What a store knows about a node besides its data. */
export interface NodeStat {
  /** The transaction that created the node. Never used twice, so it tells incarnations apart. */
  readonly czxid: bigint
  /** The transaction that last changed its data. */
  readonly mzxid: bigint
  /** The transaction that last added or removed a child. */
  readonly pzxid: bigint
  /** Wall-clock time of creation, in milliseconds since the Unix epoch. */
  readonly ctimeMs: number
  /** Wall-clock time of the last change of its data. */
  readonly mtimeMs: number
  /** How often its data was set since creation. */
  readonly version: number
  /** How often a child was added or removed. */
  readonly childVersion: number
  /** The session an ephemeral node belongs to; 0n for a persistent node. */
  readonly ephemeralOwner: bigint
  readonly dataLength: number
  readonly childCount: number
}

export interface CreateOptions {
  /** The node goes when the session ends. It cannot have children. */
  readonly ephemeral?: boolean
  /** Ten digits, larger than those of every earlier sibling, are put after the path given. */
  readonly sequential?: boolean
}

/** One step of a `multi`. `check` succeeds when the node exists at the version given. */
export type MetadataOperation =
  | ({ readonly type: 'create'; readonly path: string; readonly data: Uint8Array } & CreateOptions)
  | {
      readonly type: 'set'
      readonly path: string
      readonly data: Uint8Array
      readonly version: number
    }
  | { readonly type: 'delete'; readonly path: string; readonly version: number }
  | { readonly type: 'check'; readonly path: string; readonly version: number }

/** What one step of a `multi` did. `path` is the real one where it was sequential. */
export interface MetadataOperationResult {
  readonly path: string
  /** The node after the step; undefined for `delete` and `check`. */
  readonly stat: NodeStat | undefined
}

export interface WatchEvent {
  /** `changed`: its data was set. `children`: a child was added or removed. */
  readonly type: 'created' | 'changed' | 'deleted' | 'children'
  readonly path: string
}

/** Called at most once. The same function armed twice for one path and kind is called once. */
export type Watcher = (event: WatchEvent) => void

/**
 * `disconnected` is passing: ephemeral nodes and watches live on, and the state becomes `connected`
 * again or `expired`. `expired` and `closed` (by our own `close`) are final.
 */
export type SessionState = 'connected' | 'disconnected' | 'expired' | 'closed'

/** One session with a store. All methods reject with MetadataError and with nothing else. */
export interface MetadataStore {
  /** Equal to `ephemeralOwner` of the ephemeral nodes this session makes. */
  readonly sessionId: bigint

  readonly state: SessionState

  /** Calls `listener` after each change of state. Returns a function that ends this. */
  onStateChange(listener: (state: SessionState) => void): () => void

  /** Creates a node, whose parent must exist. Resolves to its real path. */
  create(
    path: string,
    data: Uint8Array,
    options?: CreateOptions,
  ): Promise<{ path: string; stat: NodeStat }>

  /** A node's data. The watcher hears of it being set or deleted. NO_NODE arms no watch. */
  get(path: string, watcher?: Watcher): Promise<{ data: Buffer; stat: NodeStat }>

  /** Replaces a node's data if its version is `version`, or whatever it is for ANY_VERSION. */
  set(path: string, data: Uint8Array, version: number): Promise<NodeStat>

  /** Deletes a node that has no children, if its version is `version` or that is ANY_VERSION. */
  delete(path: string, version: number): Promise<void>

  /** The names of a node's children, sorted. The watcher hears of additions and removals. */
  children(path: string, watcher?: Watcher): Promise<{ names: string[]; stat: NodeStat }>

  /** The node's stat, or undefined. The watcher hears of its creation, change and deletion. */
  exists(path: string, watcher?: Watcher): Promise<NodeStat | undefined>

  /**
   * Does all of `operations`, in order, or none. Each sees what the ones before it did. A failure
   * carries the code and index of the first operation that could not be done.
   */
  multi(operations: readonly MetadataOperation[]): Promise<MetadataOperationResult[]>

  /** Resolves once this session sees every write that had resolved anywhere before the call. */
  sync(): Promise<void>

  /** Ends the session: its ephemeral nodes are deleted. Resolves even if the store is lost. */
  close(): Promise<void>
}

/** A place that keeps metadata, with which several brokers can have sessions. */
export interface MetadataService {
  /** Opens a session, or rejects with CONNECTION_LOSS, AUTH_FAILED or SYSTEM_ERROR. */
  openSession(): Promise<MetadataStore>

  /** Closes the sessions still open, and frees what the service holds. */
  close(): Promise<void>
}

/**
 * Creates `paths` and the nodes above them, persistent and empty, where they are missing: all at
 * once, or, where somebody else is at it too, by trying again.
 */
export async function ensurePaths(store: MetadataStore, paths: readonly string[]): Promise<void> {
  for (;;) {
    const missing: MetadataOperation[] = []
    for (const path of withAncestors(paths)) {
      if ((await store.exists(path)) !== undefined) continue
      missing.push({ type: 'create', path, data: Buffer.alloc(0) })
    }
    if (missing.length === 0) return
    try {
      await store.multi(missing)
      return
    } catch (error) {
      if (!isMetadataError(error, 'NODE_EXISTS')) throw error
    }
  }
}

/** The paths and all that lies above them, once each, parents first. */
function withAncestors(paths: readonly string[]): Set<string> {
  const all = new Set<string>()
  for (const path of paths) {
    for (let end = path.indexOf('/', 1); end !== -1; end = path.indexOf('/', end + 1)) {
      all.add(path.slice(0, end))
    }
    all.add(path)
  }
  return all
}

/**
 * Throws BAD_ARGUMENTS unless `path` is one: absolute, without a slash at its end, an empty step,
 * `.` or `..`, or a NUL. A sequential node's path may end in a slash, as its name is yet to come.
 */
export function checkPath(path: string, sequential = false): void {
  const complete = sequential ? `${path}0` : path
  if (complete === '/') return
  const steps = complete.split('/')
  const malformed =
    steps.shift() !== '' ||
    steps.length === 0 ||
    steps.some((step) => step === '' || step === '.' || step === '..')
  if (malformed || complete.includes('\0')) {
    throw new MetadataError('BAD_ARGUMENTS', path, { message: `Malformed path ${path}` })
  }
}
