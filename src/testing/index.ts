/** A Kafka cluster for tests: what a test imports as `samsa/testing`. */

export type { ApiName, RequestTo, ResponseFrom } from './api-by-name.ts'
export type { TestClusterOptions, TopicOptions, Topics } from './cluster-options.ts'
export type { Fault, FaultContext, FaultOptions, WaitForHitOptions } from './fault.ts'
export type { Answer, AnswerSource, Faults } from './faults.ts'
export type { GroupConditions } from './group-wait.ts'
export type { TestValue } from './own-clients.ts'
export type { BrokerState, TestBroker } from './test-broker.ts'
export { TestCluster, type TestRecord } from './test-cluster.ts'
export type { ReadTopicOptions, TopicRecord } from './topic-reader.ts'
export { type Hook, type TestHooks, useTestCluster } from './use-test-cluster.ts'
