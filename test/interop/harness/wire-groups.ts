/** What the interop tests ask the broker about groups by themselves, over `wire.ts`. */
import { ask, BodyWriter } from './wire.ts'

/** OffsetFetch v1: the group's committed offsets of a topic, -1 where there is none. */
export async function committedOffsets(
  port: number,
  group: string,
  topic: string,
  partitions: number,
): Promise<number[]> {
  const writer = new BodyWriter().string(group)
  writer.array([topic], (name) => {
    writer.string(name)
    writer.array([...Array(partitions).keys()], (index) => writer.int32(index))
  })
  const body = await ask(port, 9, 1, writer.bytes())
  const offsets = Array.from({ length: partitions }, () => -1)
  body.array(() => {
    body.string()
    body.array(() => {
      const index = body.int32()
      offsets[index] = body.int64()
      body.string()
      const error = body.int16()
      if (error !== 0) throw new Error(`OffsetFetch of ${group}, ${topic}-${index}: error ${error}`)
    })
  })
  return offsets
}

/** IncrementalAlterConfigs v0: sets a config of a group. */
export async function setGroupConfig(
  port: number,
  group: string,
  key: string,
  value: string,
): Promise<void> {
  const groupResource = 32
  const writer = new BodyWriter()
  writer.array([group], (name) => {
    writer.int8(groupResource).string(name)
    writer.array([key], () => writer.string(key).int8(0).string(value))
  })
  const body = await ask(port, 44, 0, writer.int8(0).bytes())
  body.int32()
  const [answer] = body.array(() => ({ error: body.int16(), message: body.string() }))
  if (answer?.error !== 0) {
    throw new Error(`${key} of group ${group}: error ${answer?.error} ${answer?.message}`)
  }
}
