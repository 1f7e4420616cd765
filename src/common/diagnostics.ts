/**
 * Events that others may listen to without our knowing them: tracing and metrics tools subscribe to
 * channels by name, and a channel that nobody listens to costs next to nothing.
 */
import { channel } from 'node:diagnostics_channel'

/** One kind of event. */
export interface DiagnosticsChannel<Message extends object = object> {
  /** Whether somebody listens: a message that is costly to make need not be made otherwise. */
  readonly hasSubscribers: boolean
  publish(message: Message): void
}

/** Gives out channels by name. */
export interface Diagnostics {
  channel<Message extends object>(name: string): DiagnosticsChannel<Message>
}

/** The channels of `node:diagnostics_channel`, which the whole process shares. */
export class SystemDiagnostics implements Diagnostics {
  channel<Message extends object>(name: string): DiagnosticsChannel<Message> {
    return channel(name)
  }
}
