/**
 * AlterReplicaLogDirs (versions 1-2, KIP-113): moves replicas of this broker between its own log
 * directories. The answer says that the moves have begun; DescribeLogDirs shows how far they are.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { AlterReplicaLogDirs } from '../../protocol/messages/alter-replica-log-dirs.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function alterReplicaLogDirsHandler({
  replicaManager,
}: BrokerServices): RequestHandler<typeof AlterReplicaLogDirs> {
  async function begin(path: string, topic: string, partitionIndex: number) {
    try {
      await replicaManager.moveLog(topic, partitionIndex, path)
      return { partitionIndex, errorCode: ErrorCode.NONE }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return { partitionIndex, errorCode: error.code }
    }
  }

  return {
    api: AlterReplicaLogDirs,

    async handle({ dirs }) {
      const results = new Map<string, Awaited<ReturnType<typeof begin>>[]>()
      for (const { path, topics } of dirs) {
        for (const { name, partitions } of topics) {
          const ofTopic = results.get(name) ?? []
          results.set(name, ofTopic)
          for (const partition of partitions) ofTopic.push(await begin(path, name, partition))
        }
      }
      return {
        results: [...results].map(([topicName, partitions]) => ({ topicName, partitions })),
      }
    },

    failure: ({ dirs }, { code: errorCode }) => ({
      results: dirs.flatMap(({ topics }) =>
        topics.map(({ name: topicName, partitions }) => ({
          topicName,
          partitions: partitions.map((partitionIndex) => ({ partitionIndex, errorCode })),
        })),
      ),
    }),
  }
}
