/** Why a broker could not start, in one line that names the thing and says what to do. */
import { ConfigError } from '../common/config/config-value.ts'
import { DiskError } from '../common/disk.ts'
import { NetworkError } from '../common/network.ts'

/** The line for a failure of the environment or the configuration; undefined for a bug of ours. */
export function explainStartupError(error: unknown): string | undefined {
  if (error instanceof ConfigError) return error.message
  if (error instanceof NetworkError) return explainNetwork(error)
  if (error instanceof DiskError) return explainDisk(error)
  return undefined
}

function explainNetwork({ code, message }: NetworkError): string {
  const address = /(?:listen|bind) \S+(?:: [^:]+)? (\S+)$/.exec(message)?.[1] ?? message
  switch (code) {
    case 'EADDRINUSE':
      return (
        `The port of ${address} is taken by another program. Stop that program, or choose ` +
        'another port, for instance with --override listeners=PLAINTEXT://127.0.0.1:9093.'
      )
    case 'EACCES':
      return `Listening on ${address} is not permitted. Ports below 1024 need special rights.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${address} is not an address of this machine. Check 'listeners'.`
    default:
      return `Cannot listen: ${message}.`
  }
}

function explainDisk({ code, path, message }: DiskError): string {
  switch (code) {
    case 'LOCKED':
      return (
        `The data folder is in use by another broker, which holds ${path}. ` +
        "Stop that broker, or choose another folder with 'log.dirs'."
      )
    case 'EACCES':
    case 'EPERM':
      return `No permission to use ${path}. Give this user the right to read and write it.`
    case 'EROFS':
      return `${path} lies on a file system that cannot be written to.`
    case 'ENOTDIR':
    case 'EEXIST':
      return `${path} is not a folder. Choose another one with 'log.dirs'.`
    case 'ENOSPC':
      return `There is no room left on the volume of ${path}.`
    default:
      return `Cannot use ${path}: ${message}.`
  }
}
