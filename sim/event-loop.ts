/**
 * The one thing a simulation takes from the real machine: a turn of the event loop. When it is
 * over, every promise that could settle has settled and its continuations have run, so that nothing
 * more happens until the simulator makes it happen.
 */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
