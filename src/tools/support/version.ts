/** The version that tools give when they are asked: that of the Kafka whose behaviour they have. */
import { version } from '../version.ts'

/** Kafka's version first, since scripts compare it. */
export const kafkaVersion = `4.2.1 (Samsa ${version})`
