/** The messages of share groups (KIP-932), whose files have long names, in one place. */
export { AlterShareGroupOffsets } from './messages/alter-share-group-offsets.ts'
export { DeleteShareGroupOffsets } from './messages/delete-share-group-offsets.ts'
export { DeleteShareGroupState } from './messages/delete-share-group-state.ts'
export { DescribeShareGroupOffsets } from './messages/describe-share-group-offsets.ts'
export { InitializeShareGroupState } from './messages/initialize-share-group-state.ts'
export { ReadShareGroupState } from './messages/read-share-group-state.ts'
export { ReadShareGroupStateSummary } from './messages/read-share-group-state-summary.ts'
export { ShareAcknowledge } from './messages/share-acknowledge.ts'
export { ShareFetch } from './messages/share-fetch.ts'
export { ShareGroupDescribe } from './messages/share-group-describe.ts'
export {
  ShareGroupHeartbeat,
  type ShareGroupHeartbeatRequest,
} from './messages/share-group-heartbeat.ts'
export { WriteShareGroupState } from './messages/write-share-group-state.ts'
