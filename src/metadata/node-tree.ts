/**
 * The tree of nodes in memory, and transactions on it, without any I/O.
 *
 * A `Transaction` works in two steps. It checks operations one after the other, each against what
 * the ones before it did, and turns them into effects: unconditional facts with sequential names
 * and versions decided. Effects are what the journal holds, so replaying it needs no decisions
 * again. A transaction that cannot be finished is rolled back and leaves no trace.
 *
 * `TreeNode` objects never change; a changed node is a new object. So a list of all nodes, made in
 * one go, stays a consistent picture of the tree while it is written to disk piece by piece.
 *
 * Transaction ids and session ids are numbers here and bigint in the interface, where a ZooKeeper
 * ensemble has 64 bits of them.
 */
import type { MetadataOperation, MetadataOperationResult, NodeStat } from './metadata-store.ts'
import { ANY_VERSION, checkPath, MetadataError } from './metadata-store.ts'

export interface TreeNode {
  readonly path: string
  readonly data: Buffer
  readonly czxid: number
  readonly mzxid: number
  readonly pzxid: number
  readonly ctimeMs: number
  readonly mtimeMs: number
  readonly version: number
  /** Children ever created; the next sequential child gets this number. */
  readonly childCreations: number
  /** The owning session, or 0. */
  readonly ephemeralOwner: number
}

/** One unconditional change. */
export type Effect =
  | { readonly type: 'create'; path: string; data: Buffer; ephemeralOwner: number }
  | { readonly type: 'set'; path: string; data: Buffer }
  | { readonly type: 'delete'; path: string }

const ROOT: TreeNode = {
  path: '/',
  data: Buffer.alloc(0),
  czxid: 0,
  mzxid: 0,
  pzxid: 0,
  ctimeMs: 0,
  mtimeMs: 0,
  version: 0,
  childCreations: 0,
  ephemeralOwner: 0,
}

/** The path of the node that `path` is a child of. Not to be asked of the root. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1))
}

export class NodeTree {
  readonly #nodes = new Map<string, TreeNode>([['/', ROOT]])
  /** Names of children, for the nodes that have any. */
  readonly #children = new Map<string, Set<string>>()
  readonly #ephemeralsByOwner = new Map<number, Set<string>>()

  get(path: string): TreeNode | undefined {
    return this.#nodes.get(path)
  }

  /** All nodes; a picture that later changes do not touch. */
  nodes(): TreeNode[] {
    return [...this.#nodes.values()]
  }

  childNames(path: string): string[] {
    return [...(this.#children.get(path) ?? [])].sort()
  }

  /** The paths of a session's ephemeral nodes, or of all sessions' where none is given. */
  ephemerals(owner?: number): string[] {
    if (owner !== undefined) return [...(this.#ephemeralsByOwner.get(owner) ?? [])]
    return [...this.#ephemeralsByOwner.values()].flatMap((paths) => [...paths])
  }

  stat(node: TreeNode): NodeStat {
    const childCount = this.#children.get(node.path)?.size ?? 0
    return {
      czxid: BigInt(node.czxid),
      mzxid: BigInt(node.mzxid),
      pzxid: BigInt(node.pzxid),
      ctimeMs: node.ctimeMs,
      mtimeMs: node.mtimeMs,
      version: node.version,
      // Creations and removals: what was created and is not there has been removed.
      childVersion: 2 * node.childCreations - childCount,
      ephemeralOwner: BigInt(node.ephemeralOwner),
      dataLength: node.data.length,
      childCount,
    }
  }

  /** Puts `node` at `path`, or removes what is there, without touching the parent's own node. */
  replace(path: string, node: TreeNode | undefined): void {
    const before = this.#nodes.get(path)
    if (before !== undefined && before.ephemeralOwner !== 0) {
      removeFromIndex(this.#ephemeralsByOwner, before.ephemeralOwner, path)
    }
    if (node === undefined) {
      this.#nodes.delete(path)
      removeFromIndex(this.#children, parentOf(path), path.slice(path.lastIndexOf('/') + 1))
      return
    }
    this.#nodes.set(path, node)
    if (before === undefined) {
      addToIndex(this.#children, parentOf(path), path.slice(path.lastIndexOf('/') + 1))
    }
    if (node.ephemeralOwner !== 0) addToIndex(this.#ephemeralsByOwner, node.ephemeralOwner, path)
  }

  /**
   * Makes `effect` true. It must be possible: effects come from a Transaction on this very state.
   */
  apply(effect: Effect, zxid: number, timeMs: number): void {
    const { path } = effect
    if (effect.type === 'set') {
      const node = this.#existing(path)
      const version = node.version + 1
      this.replace(path, { ...node, data: effect.data, mzxid: zxid, mtimeMs: timeMs, version })
      return
    }
    const parent = this.#existing(parentOf(path))
    if (effect.type === 'delete') {
      this.#existing(path)
      this.replace(path, undefined)
      this.replace(parent.path, { ...parent, pzxid: zxid })
      return
    }
    if (this.#nodes.has(path)) throw new Error(`the node ${path} is created twice`)
    this.replace(path, {
      ...ROOT,
      path,
      data: effect.data,
      czxid: zxid,
      mzxid: zxid,
      pzxid: zxid,
      ctimeMs: timeMs,
      mtimeMs: timeMs,
      ephemeralOwner: effect.ephemeralOwner,
    })
    this.replace(parent.path, {
      ...parent,
      pzxid: zxid,
      childCreations: parent.childCreations + 1,
    })
  }

  #existing(path: string): TreeNode {
    const node = this.#nodes.get(path)
    if (node === undefined) throw new Error(`an effect needs the node ${path}, which is missing`)
    return node
  }
}

function addToIndex<Key>(index: Map<Key, Set<string>>, key: Key, value: string): void {
  const values = index.get(key)
  if (values === undefined) index.set(key, new Set([value]))
  else values.add(value)
}

function removeFromIndex<Key>(index: Map<Key, Set<string>>, key: Key, value: string): void {
  const values = index.get(key)
  values?.delete(value)
  if (values?.size === 0) index.delete(key)
}

export class Transaction {
  /** What has been done so far, in order. */
  readonly effects: Effect[] = []
  readonly zxid: number
  readonly timeMs: number
  readonly #tree: NodeTree
  readonly #sessionId: number
  /** What each touched path held before, oldest first. */
  readonly #before: { path: string; node: TreeNode | undefined }[] = []

  constructor(tree: NodeTree, options: { zxid: number; timeMs: number; sessionId: number }) {
    this.#tree = tree
    this.zxid = options.zxid
    this.timeMs = options.timeMs
    this.#sessionId = options.sessionId
  }

  /** Does one operation, or throws MetadataError having done nothing. */
  run(operation: MetadataOperation): MetadataOperationResult {
    if (operation.type === 'create') return this.#create(operation)
    const { path, version } = operation
    checkPath(path)
    const node = this.#tree.get(path)
    if (node === undefined) throw new MetadataError('NO_NODE', path)
    if (version !== ANY_VERSION && version !== node.version) {
      throw new MetadataError('BAD_VERSION', path, {
        message: `${path} is at version ${node.version}, not at ${version}`,
      })
    }
    if (operation.type === 'check') return { path, stat: undefined }
    if (operation.type === 'set') {
      this.#apply({ type: 'set', path, data: Buffer.from(operation.data) })
      return { path, stat: this.#tree.stat(this.#tree.get(path)!) }
    }
    if (path === '/') {
      throw new MetadataError('BAD_ARGUMENTS', path, { message: 'The root cannot be deleted' })
    }
    if (this.#tree.stat(node).childCount > 0) throw new MetadataError('NOT_EMPTY', path)
    this.#apply({ type: 'delete', path })
    return { path, stat: undefined }
  }

  /** Undoes everything, as if the transaction had never been. */
  rollback(): void {
    for (const { path, node } of this.#before.reverse()) this.#tree.replace(path, node)
    this.#before.length = 0
    this.effects.length = 0
  }

  #create(operation: MetadataOperation & { type: 'create' }): MetadataOperationResult {
    const { path, ephemeral = false, sequential = false } = operation
    checkPath(path, sequential)
    if (path === '/' && !sequential) throw new MetadataError('NODE_EXISTS', path)
    const parent = this.#tree.get(parentOf(path))
    if (parent === undefined) throw new MetadataError('NO_NODE', path)
    if (parent.ephemeralOwner !== 0) {
      throw new MetadataError('NO_CHILDREN_FOR_EPHEMERALS', path)
    }
    const suffix = sequential ? String(parent.childCreations).padStart(10, '0') : ''
    const realPath = path + suffix
    if (this.#tree.get(realPath) !== undefined) throw new MetadataError('NODE_EXISTS', realPath)
    this.#apply({
      type: 'create',
      path: realPath,
      data: Buffer.from(operation.data),
      ephemeralOwner: ephemeral ? this.#sessionId : 0,
    })
    return { path: realPath, stat: this.#tree.stat(this.#tree.get(realPath)!) }
  }

  #apply(effect: Effect): void {
    const { path } = effect
    this.#before.push({ path, node: this.#tree.get(path) })
    if (effect.type !== 'set') {
      const parentPath = parentOf(path)
      this.#before.push({ path: parentPath, node: this.#tree.get(parentPath) })
    }
    this.#tree.apply(effect, this.zxid, this.timeMs)
    this.effects.push(effect)
  }
}
