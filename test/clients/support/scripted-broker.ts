/**
 * A broker that answers as a test tells it to: for what a real one does only when things go wrong.
 *
 * What the script says is an answer (or the bytes of one), `drop` (no answer ever) or `close` (the
 * connection ends). ApiVersions is answered by itself, with the versions given, unless the script
 * does.
 */
import type { Connection, Listener, Network } from '../../../src/common/network.ts'
import { ByteWriter } from '../../../src/protocol/byte-writer.ts'
import { requestCodec } from '../../../src/protocol/compile.ts'
import { decodeRequestHeader, encodeResponseFrame } from '../../../src/protocol/header.ts'
import { ApiVersions } from '../../../src/protocol/messages/api-versions.ts'
import { APIS, apiByKey } from '../../../src/protocol/messages/index.ts'
import type { Api, RequestOf, ResponseInput, VersionRange } from '../../../src/protocol/schema.ts'

export interface ScriptedRequest {
  readonly api: Api
  readonly version: number
  readonly request: unknown
  /** Which connection, from 1 on. */
  readonly connection: number
}

export type Answer =
  | { readonly respond: unknown; readonly version: number }
  | { readonly bytes: Buffer }
  | 'drop'
  | 'close'
export type Script = (request: ScriptedRequest) => Answer | undefined | Promise<Answer | undefined>

/** An answer to a request of `api`. */
export function answer<A extends Api>(
  _api: A,
  response: ResponseInput<A>,
  version?: number,
): Answer {
  return { respond: response, version: version ?? -1 }
}

/** What is asked, if it is of `api`. */
export function requestOf<A extends Api>(
  api: A,
  { api: asked, request }: ScriptedRequest,
): RequestOf<A> | undefined {
  return asked.key === api.key ? (request as RequestOf<A>) : undefined
}

export class ScriptedBroker {
  readonly requests: ScriptedRequest[] = []
  readonly versions = new Map<Api, VersionRange>(APIS.map((api) => [api, api.versions]))
  features: readonly { name: string; level: number }[] = []
  script: Script
  readonly #connections: Connection[] = []
  #listener: Listener | undefined

  constructor(script: Script) {
    this.script = script
  }

  get port(): number {
    return this.#listener!.port
  }

  async listen(network: Network, host: string, port = 0): Promise<this> {
    this.#listener = await network.listen({ host, port }, (connection) => this.#accept(connection))
    return this
  }

  async stop(): Promise<void> {
    await this.#listener?.close()
    for (const connection of this.#connections.splice(0)) connection.destroy()
  }

  /** How often an API has been asked. */
  count(api: Api): number {
    return this.requests.filter((request) => request.api.key === api.key).length
  }

  #accept(connection: Connection): void {
    const number = this.#connections.push(connection)
    let bytes = Buffer.alloc(0)
    let memory = Buffer.alloc(64 * 1024)
    connection.start({
      allocate: () => memory,
      received: (length) => {
        bytes = Buffer.concat([bytes, memory.subarray(0, length)])
        memory = Buffer.alloc(64 * 1024)
        while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
          const end = 4 + bytes.readInt32BE(0)
          void this.#answer(connection, number, bytes.subarray(4, end))
          bytes = bytes.subarray(end)
        }
      },
      drained: () => {},
      closed: () => {},
    })
  }

  async #answer(connection: Connection, number: number, frame: Buffer): Promise<void> {
    const header = decodeRequestHeader(frame, 0, frame.length)
    const api = apiByKey(header.apiKey)!
    const version = header.apiVersion
    const request = requestCodec(api, version).decode(frame, header.bodyOffset, frame.length)
    const scripted = { api, version, request, connection: number }
    this.requests.push(scripted)
    const said = (await this.script(scripted)) ?? this.#byItself(api)
    if (said === 'drop') return
    if (said === 'close') {
      connection.destroy()
      return
    }
    if ('bytes' in said) {
      connection.write([said.bytes])
      return
    }
    const writer = new ByteWriter(1024)
    const answered = said.version < 0 ? version : said.version
    encodeResponseFrame(writer, api, answered, header.correlationId, said.respond as never)
    connection.write(writer.finish())
  }

  #byItself(api: Api): Answer {
    if (api.key !== ApiVersions.key) throw new Error(`the script has no answer to ${api.name}`)
    const apiKeys = [...this.versions].map(([{ key }, { min, max }]) => {
      return { apiKey: key, minVersion: min, maxVersion: max }
    })
    const finalizedFeatures = this.features.map(({ name, level }) => {
      return { name, maxVersionLevel: level, minVersionLevel: 0 }
    })
    return answer(ApiVersions, {
      errorCode: 0,
      apiKeys,
      supportedFeatures: [],
      finalizedFeatures,
    })
  }
}
