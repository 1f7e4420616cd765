/**
 * Which watchers wait for which change. A watch is armed by a read and goes off once; arming the
 * same function twice for one path and kind makes one watch. Data watches (from `get` and `exists`)
 * hear of a node being created, set or deleted; child watches (from `children`) of children coming
 * and going, and of the node itself being deleted.
 */
import type { WatchEvent, Watcher } from './metadata-store.ts'
import type { Effect } from './node-tree.ts'
import { parentOf } from './node-tree.ts'

/** Watchers with the session (any object) that each belongs to. */
type Watches = Map<string, Map<Watcher, object>>

export class WatchTable {
  readonly #data: Watches = new Map()
  readonly #children: Watches = new Map()

  arm(kind: 'data' | 'children', path: string, watcher: Watcher, session: object): void {
    const watches = kind === 'data' ? this.#data : this.#children
    const armed = watches.get(path)
    if (armed === undefined) watches.set(path, new Map([[watcher, session]]))
    else armed.set(watcher, session)
  }

  /** Forgets a session's watches; they never go off. */
  drop(session: object): void {
    for (const watches of [this.#data, this.#children]) {
      for (const [path, armed] of watches) {
        for (const [watcher, owner] of armed) if (owner === session) armed.delete(watcher)
        if (armed.size === 0) watches.delete(path)
      }
    }
  }

  /** Disarms the watches that `effect` sets off. Each function returned notifies one watcher. */
  trigger(effect: Effect): (() => void)[] {
    const { path } = effect
    if (effect.type === 'set') return take(this.#data, { type: 'changed', path })
    const parentChanged = take(this.#children, { type: 'children', path: parentOf(path) })
    if (effect.type === 'create') {
      return [...take(this.#data, { type: 'created', path }), ...parentChanged]
    }
    const deleted: WatchEvent = { type: 'deleted', path }
    return [...take(this.#data, deleted), ...take(this.#children, deleted), ...parentChanged]
  }
}

function take(watches: Watches, event: WatchEvent): (() => void)[] {
  const armed = watches.get(event.path)
  if (armed === undefined) return []
  watches.delete(event.path)
  return [...armed.keys()].map((watcher) => () => watcher(event))
}
