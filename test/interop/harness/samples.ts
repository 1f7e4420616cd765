/** The topics of every shape with which folders are compared between Samsa and Apache Kafka. */
import type { Broker } from './broker.ts'
import { codecs, java } from './clients.ts'
import { createTopics } from './wire.ts'

export interface Sample {
  name: string
  partitions: number
  codec: string
  megabytes: number
  configs: Record<string, string>
}

/** Small segments, so that there are several: 1 MiB is the least that Apache Kafka 4 allows. */
const rolled = { 'segment.bytes': '1048576', 'index.interval.bytes': '1024' }

export const samples: Sample[] = [
  ...codecs.map((codec) => ({
    name: `sample-${codec}`,
    partitions: 2,
    codec,
    megabytes: 6,
    configs: rolled,
  })),
  {
    name: 'append-time',
    partitions: 1,
    codec: 'lz4',
    megabytes: 2,
    configs: { ...rolled, 'message.timestamp.type': 'LogAppendTime' },
  },
  { name: 'one.segment', partitions: 1, codec: 'none', megabytes: 3, configs: {} },
  { name: 'empty', partitions: 1, codec: 'none', megabytes: 0, configs: {} },
]

/** `topic=partitions`, as the dump program takes them. */
export const sampleTopics = samples.map((sample) => `${sample.name}=${sample.partitions}`)

/** Creates the sample topics and fills them with the idempotent Java producer. */
export async function produceSamples(broker: Broker): Promise<void> {
  await createTopics(broker.port, samples)
  const filled = samples.filter((sample) => sample.megabytes > 0)
  const topics = filled.flatMap(({ name, partitions, codec, megabytes }) => [
    ...[name, String(partitions), codec, String(megabytes)],
  ])
  await java('SampleTopics', [broker.address, 'plain', ...topics])
}
