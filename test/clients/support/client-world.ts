/** Scripted brokers and a cluster client in one simulated world. */
import { SimulatedNetwork } from '../../../sim/simulated-network.ts'
import { Simulation } from '../../../sim/simulation.ts'
import { ClusterClient } from '../../../src/clients/cluster/cluster-client.ts'
import { ADMIN_CONFIG } from '../../../src/clients/config/admin-config.ts'
import { readClientConfig } from '../../../src/clients/config/client-config.ts'
import type { ClientEnvironment } from '../../../src/clients/environment.ts'
import { silentLogger } from '../../../src/common/logger.ts'
import { Metadata } from '../../../src/protocol/messages/metadata.ts'
import { answer, type Script, ScriptedBroker } from './scripted-broker.ts'

export class ClientWorld {
  readonly simulation = new Simulation({ seed: 11 })
  readonly network: SimulatedNetwork
  readonly environment: ClientEnvironment
  readonly events: object[] = []

  constructor() {
    const { clock, random } = this.simulation
    this.network = new SimulatedNetwork({ clock, random })
    const channel = { hasSubscribers: true, publish: (event: object) => this.events.push(event) }
    this.environment = {
      ...{ clock, random, log: silentLogger, network: this.network.host('client') },
      diagnostics: { channel: () => channel },
    }
  }

  /** Starts a broker on host `broker-<id>`, port 9092. */
  async broker(id: number, script: Script): Promise<ScriptedBroker> {
    const host = `broker-${id}`
    return await new ScriptedBroker(script).listen(this.network.host(host), host, 9092)
  }

  client(config: object = {}): ClusterClient {
    const defaults = { bootstrapServers: 'broker-1:9092,broker-2:9092' }
    return new ClusterClient({
      config: readClientConfig(ADMIN_CONFIG, { ...defaults, ...config }),
      environment: this.environment,
      allowAutoTopicCreation: false,
    })
  }

  /** Runs `task`, for at most an hour of simulated time. */
  run<Result>(task: () => Promise<Result>): Promise<Result> {
    return this.simulation.run(task)
  }
}

/** An answer to Metadata: a topic `t` of one partition, led by `leaderId`. */
export function metadataAnswer(
  brokerIds: readonly number[],
  { leaderId = 1, leaderEpoch = 0, partitions = 1, errorCode = 0 } = {},
) {
  return answer(Metadata, {
    brokers: brokerIds.map((nodeId) => ({ nodeId, host: `broker-${nodeId}`, port: 9092 })),
    controllerId: brokerIds[0]!,
    topics: [
      {
        ...{ errorCode, name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' },
        partitions: Array.from({ length: partitions }, (_, partitionIndex) => ({
          ...{ errorCode: 0, partitionIndex, leaderId, leaderEpoch },
          ...{ replicaNodes: [leaderId], isrNodes: [leaderId] },
        })),
      },
    ],
  })
}
