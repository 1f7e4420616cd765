/** Which guests a room has, and the settings of the broker that make their stay eventful. */
import type { Disk } from '../src/common/disk.ts'
import { CompactionGuest } from './compaction-guest.ts'
import type { Actor, Guest, GuestOptions, RecoveryPoint } from './guest.ts'
import { OffsetsGuest } from './offsets-guest.ts'
import type { SeededRandom } from './seeded-random.ts'
import { TransactionsGuest } from './transactions-guest.ts'

type Kind = 'transactions' | 'offsets' | 'compaction'

const PARTIES: readonly (readonly Kind[])[] = [
  ['transactions'],
  ['transactions', 'offsets'],
  ['transactions', 'offsets'],
  ['offsets'],
  ['compaction'],
  ['compaction'],
  ['transactions', 'compaction'],
]
/** Most rooms have none: each makes a run longer. */
const PROBABILITY = 0.4
/** Just above the least that a cleaner's thread may have. */
const CLEANER_BYTES = '1100000'

export class Guests {
  readonly #guests: readonly Guest[]
  /** For the broker. */
  readonly settings: ReadonlyMap<string, string>
  /** Every log is flushed before anything in it is acknowledged: a power cut takes nothing. */
  readonly #isFlushed: boolean

  constructor(options: GuestOptions) {
    const { random } = options
    const kinds = random.chance(PROBABILITY) ? random.pick(PARTIES) : []
    this.#isFlushed = random.chance(0.7)
    this.settings = kinds.length === 0 ? new Map() : chooseSettings(random, this.#isFlushed)
    const isFlushed = this.#isFlushed
    const make: { readonly [K in Kind]: () => Guest } = {
      transactions: () => new TransactionsGuest(options),
      offsets: () => new OffsetsGuest(options),
      compaction: () => new CompactionGuest(options, isFlushed),
    }
    this.#guests = kinds.map((kind) => make[kind]())
  }

  get isEmpty(): boolean {
    return this.#guests.length === 0
  }

  actors(): readonly Actor[] {
    return this.#guests.flatMap((guest) => guest.actors())
  }

  async verify(): Promise<void> {
    for (const guest of this.#guests) await guest.verify()
  }

  async settle(): Promise<void> {
    for (const guest of this.#guests) await guest.settle()
  }

  /** A life has ended; `wasStopped`: in order, before anything else happened. */
  crashed(kind: 'power' | 'kill' | 'stop', wasStopped: boolean, hadFaults: boolean): void {
    const isLossy = kind === 'power' && !this.#isFlushed && !wasStopped
    for (const guest of this.#guests) guest.crashed({ kind, isLossy, hadFaults })
  }

  noteRecoveryPoints(points: readonly RecoveryPoint[]): void {
    for (const guest of this.#guests) guest.noteRecoveryPoints?.(points)
  }

  checkFiles(disk: Disk, directories: readonly string[]): void {
    for (const guest of this.#guests) guest.checkFiles?.(disk, directories)
  }
}

function chooseSettings(random: SeededRandom, isFlushed: boolean): ReadonlyMap<string, string> {
  const settings = new Map([
    ['offsets.topic.num.partitions', random.pick(['1', '2'])],
    ['transaction.state.log.num.partitions', random.pick(['1', '2'])],
    ['transaction.abort.timed.out.transaction.cleanup.interval.ms', '200'],
    ['log.cleaner.dedupe.buffer.size', CLEANER_BYTES],
    ['log.cleaner.io.buffer.size', random.pick(['1000', '100000'])],
    ['log.cleaner.backoff.ms', random.pick(['20', '200', '15000'])],
    ['log.cleaner.delete.retention.ms', random.pick(['0', '100', '86400000'])],
    ['log.cleaner.min.cleanable.ratio', random.pick(['0', '0.5'])],
  ])
  if (isFlushed) settings.set('log.flush.interval.messages', '1')
  return settings
}
