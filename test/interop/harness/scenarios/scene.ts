/** Where a client plays its scenarios: the broker, the files, and names of its own. */
import { type Broker, type BrokerOptions, startBroker } from '../broker.ts'
import type { ClientProgram } from '../contract.ts'
import type { Workspace } from '../workspace.ts'

/** The broker that all clients of a suite use, one after the other. */
export interface Stage {
  workspace: Workspace
  options: BrokerOptions
  broker: Broker
}

export interface Scene {
  readonly workspace: Workspace
  /** The broker as it runs now. */
  readonly broker: Broker
  readonly client: ClientProgram
  /** The name of a topic that only this client uses. */
  topic(name: string): string
  group(name: string): string
  /** Kills the broker and starts it anew, at the same address with the same data. */
  crashBroker(): Promise<void>
}

export function scene(stage: Stage, client: ClientProgram): Scene {
  const { workspace } = stage
  return {
    workspace,
    get broker() {
      return stage.broker
    },
    client,
    topic: (name) => `${client.name}.${name}`,
    group: (name) => `${client.name}.${name}.group`,
    async crashBroker() {
      const { port } = stage.broker
      await stage.broker.kill()
      stage.broker = await startBroker(workspace, { ...stage.options, port })
    },
  }
}
