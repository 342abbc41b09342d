// Work on several engines side by side, with results in the order of the work.

/**
 * `work` on every item, each lane busy with one at a time; results in the items' order, whoever was quicker. The first
 * error ends it, once the lanes stand still.
 */
export async function* inLanes<Lane, Item, Result>(
  lanes: readonly Lane[],
  items: readonly Item[],
  work: (lane: Lane, item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = [];
  const waiting = [...items];
  const begin = (lane: Lane): void => {
    const item = waiting.shift();
    if (item === undefined) return;
    const result = work(lane, item);
    running.push(result);
    // An error is thrown where the result is waited for.
    result.then(
      () => begin(lane),
      () => undefined,
    );
  };
  lanes.forEach(begin);
  try {
    for (let result = running.shift(); result !== undefined; result = running.shift()) yield await result;
  } finally {
    waiting.length = 0;
    await Promise.allSettled(running);
  }
}
