// Work on several engines side by side, with results in the order of the work.

/**
 * `items` in batches of at most `batchSize`, each lane getting as many batches and all of nearly one size: no engine
 * stands idle at the end while another works on a whole batch.
 */
export function evenBatches<Item>(
  items: readonly Item[],
  { batchSize, lanes }: { readonly batchSize: number; readonly lanes: number },
): Item[][] {
  const rounds = Math.ceil(items.length / (batchSize * lanes));
  const count = Math.min(rounds * lanes, items.length);
  const start = (batch: number): number => Math.floor((batch * items.length) / count);
  return Array.from({ length: count }, (_, batch) => items.slice(start(batch), start(batch + 1)));
}

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
