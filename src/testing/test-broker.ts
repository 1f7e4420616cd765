/** A broker of a test cluster, as tests see it. */

/** `stopped` after a kill too. */
export type BrokerState = 'running' | 'paused' | 'stopped'

/** It can be killed, started again and held up, as a process on a server could be. */
export interface TestBroker {
  /** `node.id`; brokers are numbered from 1. */
  readonly id: number

  /** `host:port`, the same for as long as the cluster lasts. */
  readonly address: string

  readonly state: BrokerState

  /**
   * Ends the broker as SIGKILL would: connections are cut, nothing is finished or flushed. What it
   * has written is there when it is started again; it then recovers as after a crash. Until then
   * whoever connects is cut off.
   */
  kill(): Promise<void>

  /** Stops the broker in order: requests are answered, groups told to look for another. */
  stop(): Promise<void>

  /** Starts the broker where it was, with what it had written; one that runs is stopped first. */
  restart(): Promise<void>

  /**
   * Holds the broker up, as SIGSTOP would: it reads and answers nothing, and none of its timeouts
   * passes. Connections stay, and new ones can be made. Rejects with IllegalStateError if it is
   * stopped.
   */
  pause(): Promise<void>

  /** Lets a broker that was paused go on. What has become due meanwhile happens at once. */
  resume(): Promise<void>
}
