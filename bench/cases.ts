/**
 * What bench/micro.ts measures: arguments for bench/c/load.c, bounded in bytes and in seconds.
 */

export interface Case {
  readonly name: string
  readonly load: readonly string[]
  /** What is compared: bytes of record batches, or requests. */
  readonly unit: 'MB/s' | 'k req/s'
  /** The part of the C peer's throughput that `--check` asks for. */
  readonly goal: number
}

const mebibyte = 1 << 20

function produce(name: string, batchBytes: number, bytes: number): Case {
  const batches = ['--batch-bytes', `${batchBytes}`, '--connections', '1', '--depth', '5']
  const bounds = ['--warmup-bytes', `${64 * mebibyte}`, '--bytes', `${bytes}`, '--seconds', '4']
  return { name, load: ['produce', ...batches, ...bounds], unit: 'MB/s', goal: 0.6 }
}

function small(name: string, depth: number): Case {
  const shape = ['--record-bytes', '100', '--connections', '16', '--depth', `${depth}`]
  const bounds = ['--bytes', `${256 * mebibyte}`, '--seconds', '1.5']
  const warmup = ['--warmup-bytes', `${2 * mebibyte}`]
  return { name, load: ['small', ...shape, ...bounds, ...warmup], unit: 'k req/s', goal: 0.7 }
}

function fetch(name: string, from: string, fill: number, window: number, goal: number): Case {
  const log = ['--from', from, '--fill-bytes', `${fill * mebibyte}`]
  const read = ['--window-bytes', `${window * mebibyte}`, '--max-bytes', `${mebibyte}`]
  const bounds = ['--bytes', `${1536 * mebibyte}`, '--seconds', '3']
  const warmup = ['--warmup-bytes', `${64 * mebibyte}`]
  return { name, load: ['fetch', ...log, ...read, ...bounds, ...warmup], unit: 'MB/s', goal }
}

export const cases: readonly Case[] = [
  produce('produce, 16 KiB batches', 16 << 10, 512 * mebibyte),
  produce('produce, 100 KiB batches', 100 << 10, 1024 * mebibyte),
  produce('produce, 1 MiB batches', mebibyte, 1024 * mebibyte),
  small('small requests, 16 × 1 in flight', 1),
  small('small requests, 16 × 32 in flight', 32),
  // The last 8 MiB lie in memory at every broker; the first 192 of 256 MiB in the page cache.
  fetch('tail fetch, 1 MiB', 'tail', 64, 8, 0.85),
  fetch('cold fetch, 1 MiB', 'start', 256, 192, 0.5),
]
