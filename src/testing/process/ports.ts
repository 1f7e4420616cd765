/**
 * The ports of one broker, which stay its own from its first start until the cluster stops: after a
 * kill or between stop and start nobody else gets them, and clients find the broker where it was.
 * Whoever connects while nobody listens is cut off at once.
 */
import type { Connection, Listener, Network } from '../../common/network.ts'

interface TakenPort {
  /** What was asked for: port 0 may have been. */
  readonly host: string
  readonly port: number
  listener: Listener
  /** Undefined while nobody listens. */
  accept: ((connection: Connection) => void) | undefined
}

export class Ports {
  readonly #network: Network
  readonly #taken: TakenPort[] = []

  constructor(network: Network) {
    this.#network = network
  }

  /** As `Network.listen`; gives a port that is taken already if the same is asked for again. */
  async listen(
    address: { host: string; port: number; backlog?: number },
    accept: (connection: Connection) => void,
  ): Promise<Listener> {
    const { host, port } = address
    const free = (taken: TakenPort) => taken.accept === undefined
    const isSame = (taken: TakenPort) => taken.host === host && taken.port === port
    let found = this.#taken.find((taken) => free(taken) && isSame(taken))
    if (found === undefined) {
      const taken = { host, port, accept: undefined } as Omit<TakenPort, 'listener'> as TakenPort
      taken.listener = await this.#network.listen(address, (connection) => {
        if (taken.accept === undefined) connection.destroy()
        else taken.accept(connection)
      })
      this.#taken.push(taken)
      found = taken
    }
    const taken = found
    taken.accept = accept
    return {
      host: taken.listener.host,
      port: taken.listener.port,
      close: async () => {
        taken.accept = undefined
      },
    }
  }

  /** Nobody listens any more. */
  abandon(): void {
    for (const taken of this.#taken) taken.accept = undefined
  }

  /** Gives all ports back. */
  async release(): Promise<void> {
    this.abandon()
    await Promise.all(this.#taken.splice(0).map(({ listener }) => listener.close()))
  }
}
