/**
 * ElectLeaders (versions 0-2, KIP-460): has leaders elected, of partitions or, with null, wherever
 * one is needed; then only partitions that an election was tried for are in the answer. Version 0
 * knows preferred leaders only.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { ElectLeaders } from '../../protocol/messages/elect-leaders.ts'
import type { BrokerServices } from '../broker-services.ts'
import { ElectionType, electLeaders } from '../controller/elections.ts'
import type { RequestHandler } from '../request-handler.ts'

export function electLeadersHandler({
  topics,
}: BrokerServices): RequestHandler<typeof ElectLeaders> {
  return {
    api: ElectLeaders,

    async handle({ electionType, topicPartitions }) {
      if (!(Object.values(ElectionType) as number[]).includes(electionType)) {
        throw new KafkaError('INVALID_REQUEST', `Unknown election type ${electionType}`)
      }
      const results = await topics.changePartitions((view) =>
        electLeaders(view, electionType, topicPartitions),
      )
      return {
        errorCode: ErrorCode.NONE,
        replicaElectionResults: results.map(({ topic, partitions }) => ({
          topic,
          partitionResult: partitions.map(({ partitionIndex: partitionId, error }) => ({
            partitionId,
            errorCode: error?.code ?? ErrorCode.NONE,
            errorMessage: error?.message ?? null,
          })),
        })),
      }
    },

    failure: (request, { code: errorCode, message: errorMessage }) => ({
      errorCode,
      replicaElectionResults: (request.topicPartitions ?? []).map(({ topic, partitions }) => ({
        topic,
        partitionResult: partitions.map((partitionId) => ({
          ...{ partitionId, errorCode, errorMessage },
        })),
      })),
    }),
  }
}
