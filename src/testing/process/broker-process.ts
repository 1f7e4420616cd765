/**
 * What a broker would have of its machine if it were a process of its own: time, disk, network and
 * a place for its log, all of which can be taken from it (`kill`) or held up (`freeze`) at once.
 */
import type { Clock } from '../../common/clock.ts'
import type { Disk } from '../../common/disk.ts'
import type { Logger } from '../../common/logger.ts'
import type { Network } from '../../common/network.ts'
import type { Ports } from './ports.ts'
import { ProcessClock } from './process-clock.ts'
import { ProcessDisk } from './process-disk.ts'
import { ProcessNetwork } from './process-network.ts'

/** What the processes share. */
export interface Machine {
  readonly clock: Clock
  readonly disk: Disk
  readonly network: Network
  readonly log: Logger
}

export class BrokerProcess {
  readonly clock: ProcessClock
  readonly disk: ProcessDisk
  readonly network: ProcessNetwork
  readonly log: Logger
  #isFrozen = false
  #isDead = false

  constructor({ clock, disk, network, log }: Machine, ports: Ports) {
    this.clock = new ProcessClock(clock)
    this.disk = new ProcessDisk(disk)
    this.network = new ProcessNetwork(network, ports)
    const whileAlive = (say: (message: string, cause?: unknown) => void) => {
      return (message: string, cause?: unknown) => {
        if (!this.#isDead) say(message, cause)
      }
    }
    this.log = {
      debug: whileAlive((message) => log.debug(message)),
      info: whileAlive((message) => log.info(message)),
      warn: whileAlive((message, cause) => log.warn(message, cause)),
      error: whileAlive((message, cause) => log.error(message, cause)),
    }
  }

  get isFrozen(): boolean {
    return this.#isFrozen
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** As SIGKILL: nothing is finished, flushed or said; what was written stays written. */
  kill(): void {
    this.#isDead = true
    this.clock.kill()
    this.network.kill()
    this.disk.kill()
  }

  /** As SIGSTOP. */
  freeze(): void {
    this.#isFrozen = true
    this.clock.freeze()
    this.network.freeze()
  }

  /** As SIGCONT: what has become due meanwhile happens now. */
  thaw(): void {
    this.#isFrozen = false
    this.network.thaw()
    this.clock.thaw()
  }
}
