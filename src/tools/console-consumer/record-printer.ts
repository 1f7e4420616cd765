/**
 * The loop of the console consumers: records are fetched, printed and counted until there are
 * enough of them, none comes for too long, something goes wrong, or the user has had enough.
 */
import { printLine, ToolError, type ToolIo } from '../support/tool.ts'
import { logError } from '../support/tool-log.ts'
import { writeAll } from '../support/write-all.ts'
import {
  type FormattableRecord,
  FormatterOutput,
  type MessageFormatter,
} from './message-formatter.ts'

export interface PrintRequest {
  readonly formatter: MessageFormatter
  /** Undefined for no end. Throws ToolError for what is no number. */
  readonly maxMessages: () => number | undefined
  readonly timeoutMs: number | undefined
  /** What becomes of a record that cannot be printed; undefined if that ends the tool. */
  readonly onError: 'skipping' | 'rejecting' | undefined
}

/** Where records come from. */
export interface RecordSource<Item extends FormattableRecord> {
  /** Kafka's class, as the name of the log. */
  readonly className: string
  /** None after `timeoutMs`. */
  poll(options: { timeoutMs?: number; signal: AbortSignal }): Promise<Iterable<Item>>
  /** A record has been printed, or could not be. */
  done?(record: Item, isPrinted: boolean): void
  /** Closes the client; `unread` has been fetched and not printed. */
  close(unread: Iterable<Item>): Promise<void>
}

const TIMEOUT = 'org.apache.kafka.common.errors.TimeoutException'

/** Whether who read the output has gone away, as `head` does. */
export function hasLostReader({ signal }: ToolIo): boolean {
  return signal.aborted && signal.reason?.code === 'EPIPE'
}

export class RecordPrinter<Item extends FormattableRecord> {
  readonly #request: PrintRequest
  readonly #source: RecordSource<Item>
  readonly #io: ToolIo
  readonly #out = new FormatterOutput()
  #limit: number | undefined
  #count = 0
  /** Records that have been fetched and not printed. */
  #rest: IterableIterator<Item> = [][Symbol.iterator]()

  constructor(request: PrintRequest, source: RecordSource<Item>, io: ToolIo) {
    this.#request = request
    this.#source = source
    this.#io = io
  }

  /** Resolves when the source is closed. Rejects with what is wrong with a record. */
  async run(): Promise<void> {
    try {
      this.#limit = this.#request.maxMessages()
      while (!this.#isDone && (await this.#poll())) await this.#print()
    } finally {
      await this.#source.close(this.#rest)
      const { stderr } = this.#io
      if (hasLostReader(this.#io)) {
        printLine(stderr, 'Unable to write to standard out, closing consumer.')
      }
      printLine(stderr, `Processed a total of ${this.#count} messages`)
    }
  }

  get #isDone(): boolean {
    return this.#limit !== undefined && this.#count >= this.#limit
  }

  /** Whether there is something to print. */
  async #poll(): Promise<boolean> {
    const { timeoutMs } = this.#request
    const { signal } = this.#io
    try {
      const timeout = timeoutMs === undefined ? {} : { timeoutMs }
      const records = [...(await this.#source.poll({ ...timeout, signal }))]
      if (records.length === 0) throw new ToolError('', { className: TIMEOUT })
      this.#rest = records.values()
      return true
    } catch (error) {
      if (!signal.aborted) {
        this.#logError('Error processing message, terminating consumer process: ', error)
      }
      return false
    }
  }

  async #print(): Promise<void> {
    const { formatter, onError } = this.#request
    while (!this.#isDone) {
      const { value: record, done } = this.#rest.next()
      if (done) break
      this.#count += 1
      try {
        formatter(record, this.#out)
        this.#source.done?.(record, true)
      } catch (error) {
        if (onError === undefined) {
          await writeAll(this.#io.stdout, this.#out.take())
          throw error
        }
        this.#logError(`Error processing message, ${onError} this message: `, error)
        this.#source.done?.(record, false)
      }
    }
    await writeAll(this.#io.stdout, this.#out.take())
  }

  #logError(message: string, error: unknown): void {
    logError(this.#io, this.#source.className, message, error)
  }
}
