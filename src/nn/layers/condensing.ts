// Which channels the groups of a learned group convolution still read (Huang et al. 2018, "CondenseNet", section 3.1).
import { floats, type Tensor } from "../../base/tensor.js";

/**
 * Channels that each group reads after the share `progress` of training: at each of `factor` − 1 equal steps through its
 * first half, one in `factor` of all `channels` goes.
 */
export function keptAt(progress: number, channels: number, factor: number): number {
  // What is a whole number of steps may fall short of it by rounding.
  const steps = Math.floor(2 * progress * (factor - 1) + 1e-9);
  return channels - (Math.min(factor - 1, steps) * channels) / factor;
}

/** Channels that `mask` [groups, channels] keeps, group by group, in order. */
export function keptBy({ shape: [groups = 0, channels = 0], data }: Tensor): number[][] {
  const all = Array.from({ length: channels }, (_, channel) => channel);
  return Array.from({ length: groups }, (_, group) =>
    all.filter((channel) => data[group * channels + channel] !== 0),
  );
}

/**
 * `mask` with channels dropped until each group keeps `kept`: those whose `weight` [filters, channels, 1, 1] over the
 * group's filters has the least L1 norm, of equal ones the first. Filter i belongs to group i mod groups.
 */
export function condensed(mask: Tensor, weight: Tensor, kept: number): Tensor {
  const [groups = 0, channels = 0] = mask.shape;
  const [filters = 0] = weight.shape;
  const data = new Float32Array(groups * channels);
  for (const [group, read] of keptBy(mask).entries()) {
    const norm = (channel: number): number => {
      let total = 0;
      for (let filter = group; filter < filters; filter += groups)
        total += Math.abs(Number(weight.data[filter * channels + channel]));
      return total;
    };
    const ranked = read.map((channel) => ({ channel, norm: norm(channel) }));
    ranked.sort((a, b) => a.norm - b.norm || a.channel - b.channel);
    for (const { channel } of ranked.slice(-kept)) data[group * channels + channel] = 1;
  }
  return floats([groups, channels], data);
}

/** The weights of each group's filters over the channels it reads: [filters, channels, 1, 1] → [filters, kept, 1, 1], group by group. */
export function groupedWeight(weight: Tensor, kept: readonly (readonly number[])[]): Tensor {
  const [filters = 0, channels = 0] = weight.shape;
  const groups = kept.length;
  const width = kept[0]?.length ?? 0;
  const data = new Float32Array(filters * width);
  let at = 0;
  for (const [group, read] of kept.entries())
    for (let filter = group; filter < filters; filter += groups)
      for (const channel of read) data[at++] = Number(weight.data[filter * channels + channel]);
  return floats([filters, width, 1, 1], data);
}
