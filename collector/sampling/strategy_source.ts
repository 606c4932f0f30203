// The strategies in force: from a file or a URL, read again when it changes. A mistake is told and
// changes nothing: the last good ones stay.

import { readFile, stat } from 'node:fs/promises';
import {
  defaultStrategies,
  parseStrategies,
  type Strategies,
  type Strategy,
  StrategyError,
} from './strategies.ts';

export interface StrategySourceOptions {
  /** A path, an http:// or https:// URL, or '' for none. */
  readonly from: string;
  /** For services that are not named, when there is no default in the file. */
  readonly probability: number;
  readonly reloadMs: number;
  /** Told what was left out, what is wrong and where, and that new ones are in force. */
  readonly note: (message: string) => void;
}

/** A thousand services with a hundred operations each are 10 MB. */
const BYTES_MAX = 16 * 1024 * 1024;

/** A server that has not answered after so long is asked again at the next reload. */
const URL_TIMEOUT_MS = 5000;

export class StrategySource {
  readonly #options: StrategySourceOptions;
  #strategies: Strategies;
  #timer: NodeJS.Timeout | undefined;
  /** What the strategies in force, or the last mistake, were read from. */
  #lastText: string | undefined;
  #lastStamp = '';
  #lastProblem = '';

  constructor(options: StrategySourceOptions) {
    this.#options = options;
    this.#strategies = defaultStrategies(options.probability);
  }

  /**
   * Reads for the first time. A file that is missing or wrong throws StrategyError: nobody wants to
   * start with the wrong rates. A URL that does not answer is asked again later.
   */
  static async open(options: StrategySourceOptions): Promise<StrategySource> {
    const source = new StrategySource(options);
    if (options.from === '') return source;
    if (isUrl(options.from)) await source.reload();
    else await source.#load();
    source.#schedule();
    return source;
  }

  strategyOf(service: string): Strategy {
    return this.#strategies.services.get(service) ?? this.#strategies.fallback;
  }

  /** Reads again if something has changed; never throws. */
  async reload(): Promise<void> {
    try {
      await this.#load();
      this.#lastProblem = '';
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      // Once, not at every reload.
      if (problem === this.#lastProblem) return;
      this.#lastProblem = problem;
      this.#options.note(`${problem}; the strategies that were in force stay`);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    this.#timer = setTimeout(async () => {
      await this.reload();
      if (this.#timer !== undefined) this.#schedule();
    }, this.#options.reloadMs);
    this.#timer.unref();
  }

  async #load(): Promise<void> {
    const { from, probability, note } = this.#options;
    const text = isUrl(from) ? await readUrl(from) : await this.#readChanged();
    if (text === undefined || text === this.#lastText) return;
    const isFirst = this.#lastText === undefined;
    try {
      this.#strategies = parseStrategies(text, probability);
    } catch (error) {
      if (!(error instanceof StrategyError)) throw error;
      throw new StrategyError(`sampling.strategies: ${error.message}`);
    }
    this.#lastText = text;
    for (const warning of this.#strategies.warnings) note(`sampling.strategies: ${warning}`);
    if (!isFirst) note('sampling.strategies: the new strategies are in force');
  }

  /** Undefined while the file is the one that was read last. */
  async #readChanged(): Promise<string | undefined> {
    const { from } = this.#options;
    try {
      const { mtimeMs, size, ino } = await stat(from);
      if (size > BYTES_MAX) throw new StrategyError(`the file is larger than ${BYTES_MAX} bytes`);
      const stamp = `${mtimeMs} ${size} ${ino}`;
      if (stamp === this.#lastStamp) return undefined;
      const text = await readFile(from, 'utf8');
      this.#lastStamp = stamp;
      return text;
    } catch (error) {
      if (error instanceof StrategyError) throw error;
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error';
      throw new StrategyError(`sampling.strategies: the file cannot be read (${code})`);
    }
  }
}

function isUrl(from: string): boolean {
  return /^https?:\/\//.test(from);
}

async function readUrl(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(URL_TIMEOUT_MS) });
    if (!response.ok) {
      await response.body?.cancel();
      throw new StrategyError(`the URL answered ${response.status}`);
    }
    return await boundedText(response);
  } catch (error) {
    const reason = error instanceof StrategyError ? error.message : 'the URL did not answer';
    throw new StrategyError(`sampling.strategies: ${reason}`);
  }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > BYTES_MAX) throw new StrategyError(`the URL sends more than ${BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
