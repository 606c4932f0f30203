// Block builders by the settings that rows depend on: a replay keeps those of its intent, so after a
// change of the retention there may be two for a moment.

import type { LogRecord } from '../../storage/span_log.ts';
import { type BlockBuilder, startBlockBuilder } from '../block_builder.ts';
import type { Built } from '../build_blocks.ts';
import type { RowSettings } from './intent.ts';

/** Each is a thread: ours, and one for what was begun under an earlier setting. */
const BUILDERS_MAX = 2;

export class Builders {
  readonly #byAge = new Map<number, BlockBuilder>();
  readonly #start: (settings: { maxAgeSeconds: number }) => BlockBuilder;

  constructor(start: (settings: { maxAgeSeconds: number }) => BlockBuilder = startBlockBuilder) {
    this.#start = start;
  }

  async build(records: readonly LogRecord[], settings: RowSettings): Promise<Built> {
    const { maxAgeSeconds, encoding } = settings;
    let builder = this.#byAge.get(maxAgeSeconds);
    if (builder === undefined) {
      builder = this.#start({ maxAgeSeconds });
      this.#byAge.set(maxAgeSeconds, builder);
      await this.#stopOldest();
    }
    return builder.build(records, encoding);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#byAge.values()].map((builder) => builder.stop()));
    this.#byAge.clear();
  }

  async #stopOldest(): Promise<void> {
    const [oldest] = this.#byAge;
    if (oldest === undefined || this.#byAge.size <= BUILDERS_MAX) return;
    this.#byAge.delete(oldest[0]);
    await oldest[1].stop();
  }
}
