import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Slab, SlabPool } from '../../src/common/slab.ts'
import { FrameReader, InvalidFrameError } from '../../src/network/frame-reader.ts'

/** Collects frames; keeps some of them, as the tail cache does, and checks them at the end. */
class Sink {
  acceptsFrames = true
  readonly frames: Buffer[] = []
  readonly #kept: { slab: Slab; view: Buffer; copy: Buffer }[] = []
  readonly #keepEvery: number

  constructor(keepEvery = 0) {
    this.#keepEvery = keepEvery
  }

  frame(slab: Slab, start: number, end: number): void {
    const view = slab.memory.subarray(start, end)
    const copy = Buffer.from(view)
    this.frames.push(copy)
    if (this.#keepEvery > 0 && this.frames.length % this.#keepEvery === 0) {
      slab.retain()
      this.#kept.push({ slab, view, copy })
    }
  }

  /** Fails if memory that is still leased was written over. */
  checkKept(): void {
    for (const { slab, view, copy } of this.#kept) {
      assert.ok(view.equals(copy), 'leased memory was overwritten')
      slab.release()
    }
  }
}

function framed(bodies: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const length = Buffer.alloc(4)
      length.writeInt32BE(body.length)
      return [length, body]
    }),
  )
}

/** Feeds `bytes` in reads of at most the given sizes, round and round. */
function feed(reader: FrameReader, bytes: Buffer, sizes: readonly number[]): void {
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const target = reader.allocate()
    assert.ok(target.length > 0, 'no memory to read into')
    const length = Math.min(target.length, sizes[i % sizes.length]!, bytes.length - at)
    target.set(bytes.subarray(at, at + length))
    at += length
    reader.received(length)
  }
}

test('frames come out whole and in order however the bytes are cut', () => {
  const bodies = fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.uint8Array({ maxLength: 300 }) },
      {
        weight: 1,
        arbitrary: fc.integer({ min: 5_000, max: 300_000 }).map((n) => new Uint8Array(n).fill(n)),
      },
    ),
    { maxLength: 40 },
  )
  const cuts = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(bodies, cuts, fc.integer({ min: 0, max: 3 }), (given, sizes, keepEvery) => {
      const sink = new Sink(keepEvery)
      const reader = new FrameReader(new SlabPool({ poison: true }), 1_000_000, sink)
      feed(reader, framed(given), sizes)
      assert.deepEqual(
        sink.frames.map((frame) => frame.toString('hex')),
        given.map((body) => Buffer.from(body).toString('hex')),
      )
      assert.equal(reader.hasPartialFrame, false)
      sink.checkKept()
      reader.close()
    }),
    { numRuns: 150 },
  )
})

test('a length that is negative or above the limit is refused, one at the limit is not', () => {
  for (const length of [-1, -2147483648, 1001, 0x7fff_ffff]) {
    const reader = new FrameReader(new SlabPool(), 1000, new Sink())
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(length)
    assert.throws(() => feed(reader, bytes, [4]), InvalidFrameError)
  }
  const sink = new Sink()
  feed(new FrameReader(new SlabPool(), 1000, sink), framed([new Uint8Array(1000)]), [100])
  assert.equal(sink.frames.length, 1)
})

test('an announced length alone makes the broker allocate no more than the largest slab', () => {
  const reader = new FrameReader(new SlabPool(), 0x7fff_ffff, new Sink())
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(2_000_000_000)
  feed(reader, bytes, [4])
  assert.ok(reader.allocate().length <= 4 * 1024 * 1024)
})

test('a sink that has had enough gets the rest of the frames when it resumes', () => {
  const sink = new Sink()
  const reader = new FrameReader(new SlabPool({ poison: true }), 1000, sink)
  sink.acceptsFrames = false
  feed(reader, framed([Buffer.from('a'), Buffer.from('b')]), [1000])
  assert.equal(sink.frames.length, 0)
  sink.acceptsFrames = true
  reader.resume()
  assert.deepEqual(sink.frames.map(String), ['a', 'b'])
})

test('memory that is on offer stays where it is, whatever is delivered or let go meanwhile', () => {
  const leases: Slab[] = []
  const sink = new Sink()
  const reader = new FrameReader(new SlabPool({ poison: true }), 1000, {
    acceptsFrames: true,
    frame(slab, start, end) {
      slab.retain()
      leases.push(slab)
      sink.frame(slab, start, end)
    },
  })
  const bodies = [Buffer.from('first'), Buffer.from('second'), Buffer.from('third')]
  for (const body of bodies) {
    // Sockets ask for memory when they have delivered, and use it when something comes.
    const target = reader.allocate()
    for (const slab of leases.splice(0)) slab.release()
    reader.resume()
    const bytes = framed([body])
    target.set(bytes)
    reader.received(bytes.length)
  }
  assert.deepEqual(sink.frames, bodies)
})

test('a connection of small requests uses one piece of memory over and over', () => {
  let acquired = 0
  class CountingPool extends SlabPool {
    override acquire(minBytes: number): Slab {
      acquired += 1
      return super.acquire(minBytes)
    }
  }
  const reader = new FrameReader(new CountingPool(), 1000, new Sink())
  for (let i = 0; i < 1000; i++) feed(reader, framed([new Uint8Array(100)]), [1000])
  assert.equal(acquired, 1)
})
