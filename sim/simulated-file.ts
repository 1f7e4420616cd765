/**
 * The contents of one file on a disk that may lose power: what a process reads back, and what would
 * still be there after a power cut.
 *
 * Both are the same bytes as long as nothing is unsynced. Beyond that the file keeps, for every
 * sector written since, what the sector held before, in layers: a sync begins a new layer, and once
 * it has ended well, the layers before it are forgotten, for they are durable. A power cut takes
 * back any of what is left, sector by sector, and any part of the length: that tears writes, keeps
 * late ones without early ones, and leaves zeros where a length survived but not the data.
 *
 * A sync that fails leaves its layers in place, and no later sync covers them: the kernel has
 * dropped the dirty pages, as Linux does. Only writing the sector again makes it safe.
 */
import { GrowableBytes } from '../src/common/growable-bytes.ts'
import type { SeededRandom } from './seeded-random.ts'

/** The unit that a disk writes whole or not at all. */
export const SECTOR_SIZE = 512

/** What unsynced changes did: each sector's bytes, and the length, before the first of them. */
interface Layer {
  readonly sizeBefore: number
  readonly sectorsBefore: Map<number, Buffer>
  /** Set when a sync that should have covered this layer failed. */
  lost: boolean
}

export class SimulatedFile {
  modifiedMs: number
  readonly #bytes = new GrowableBytes()
  /** Oldest first; writes go to the last. */
  #layers: Layer[] = []

  constructor(modifiedMs: number) {
    this.modifiedMs = modifiedMs
  }

  get size(): number {
    return this.#bytes.size
  }

  read(target: Uint8Array, position: number): number {
    return this.#bytes.read(target, position)
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return
    const end = position + bytes.length
    this.#rememberSectors(Math.min(position, this.size), end)
    this.#bytes.write([bytes], position)
  }

  truncate(size: number): void {
    if (size === this.size) return
    this.#rememberSectors(Math.min(size, this.size), Math.max(size, this.size))
    this.#bytes.resize(size)
  }

  /** A sync begins. It is to be ended by one of the two functions returned, or by neither. */
  beginSync(): { succeed: () => void; fail: () => void } {
    const covered = [...this.#layers]
    this.#layers.push(this.#newLayer())
    return {
      succeed: () => {
        this.#layers = this.#layers.filter((layer) => layer.lost || !covered.includes(layer))
      },
      fail: () => {
        for (const layer of covered) layer.lost = true
      },
    }
  }

  /** Makes everything durable, as on a machine that has been idle for long. */
  settle(): void {
    this.#layers = []
  }

  /** The power goes: takes back what `random` says of what is not durable. */
  losePower(random: SeededRandom): void {
    let size = this.size
    // A disk may have written all of it, nothing, or anything in between.
    const lossChance = random.pick([0, 0.1, 0.5, 0.9, 1])
    for (const layer of this.#layers.reverse()) {
      for (const [sector, before] of layer.sectorsBefore) {
        if (random.chance(lossChance)) this.#restoreSector(sector, before)
      }
      if (layer.sizeBefore !== size && random.chance(lossChance)) {
        const between = Math.floor(size + random.fraction() * (layer.sizeBefore - size))
        const least = Math.min(size, layer.sizeBefore)
        const sectorsEnd = Math.max(between - (between % SECTOR_SIZE), least)
        size = random.pick([layer.sizeBefore, layer.sizeBefore, between, sectorsEnd])
      }
    }
    this.#layers = []
    this.#bytes.resize(size)
  }

  #newLayer(): Layer {
    return { sizeBefore: this.size, sectorsBefore: new Map(), lost: false }
  }

  /** Keeps what the sectors from `start` to `end` hold before they change. */
  #rememberSectors(start: number, end: number): void {
    if (this.#layers.length === 0) this.#layers.push(this.#newLayer())
    const { sectorsBefore } = this.#layers.at(-1)!
    const last = Math.ceil(end / SECTOR_SIZE)
    for (let sector = Math.floor(start / SECTOR_SIZE); sector < last; sector++) {
      if (sectorsBefore.has(sector)) continue
      const from = sector * SECTOR_SIZE
      sectorsBefore.set(sector, this.#bytes.copy(from, from + SECTOR_SIZE))
      this.#forgetLoss(sector)
    }
  }

  /** A sector that a failed sync lost is dirty again, so the next sync covers it after all. */
  #forgetLoss(sector: number): void {
    const current = this.#layers.at(-1)!
    for (const layer of this.#layers) {
      const before = layer.sectorsBefore.get(sector)
      if (!layer.lost || layer === current || before === undefined) continue
      layer.sectorsBefore.delete(sector)
      current.sectorsBefore.set(sector, before)
      return
    }
  }

  #restoreSector(sector: number, before: Buffer): void {
    const whole = Buffer.alloc(SECTOR_SIZE)
    before.copy(whole)
    this.#bytes.write([whole], sector * SECTOR_SIZE)
  }
}
