/** Where a tool is told to connect to. */

const HOST_AND_PORT = /^(?:.*?:\/\/)?\[?[0-9a-zA-Z\-%._:]*\]?:[0-9]+$/

/** What Kafka's tools say of a `--bootstrap-server` that makes no sense; undefined if it does. */
export function bootstrapProblem(address: string | undefined): string | undefined {
  if (address === undefined || address.trim() === '') {
    return 'Error while validating the bootstrap address\n'
  }
  const parts = address.split(',')
  while (parts.at(-1) === '') parts.pop()
  if (parts.length > 0 && parts.every((part) => HOST_AND_PORT.test(part))) return undefined
  return 'Please provide valid host:port like host1:9091,host2:9092\n'
}

/** The arguments with `--broker-list`, as it was called long ago, under today's name. */
export function withBootstrapServer(args: readonly string[]): string[] {
  return args.map((arg) => arg.replace(/^--broker-list(?==|$)/, '--bootstrap-server'))
}
