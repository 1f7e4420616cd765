/** Where a client plays its scenarios: the broker, the files, and names of its own. */
import type { Broker } from '../broker.ts'
import type { ClientProgram } from '../contract.ts'
import type { Workspace } from '../workspace.ts'

export interface Scene {
  workspace: Workspace
  broker: Broker
  client: ClientProgram
  /** The name of a topic that only this client uses. */
  topic(name: string): string
  group(name: string): string
}

export function scene(workspace: Workspace, broker: Broker, client: ClientProgram): Scene {
  return {
    workspace,
    broker,
    client,
    topic: (name) => `${client.name}.${name}`,
    group: (name) => `${client.name}.${name}.group`,
  }
}
