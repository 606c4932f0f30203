import { call } from './http.ts';

export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** What a Prometheus text page holds, and questions to it. */
export class MetricsPage {
  readonly samples: readonly Sample[];

  constructor(text: string) {
    this.samples = text.split('\n').flatMap(parseLine);
  }

  /** The sum over all samples of this name whose labels include `where`; throws if there is none. */
  sum(name: string, where: Readonly<Record<string, string>> = {}): number {
    const found = this.#find(name, where);
    if (found.length === 0) throw new Error(`no metric ${name} ${JSON.stringify(where)}`);
    return total(found);
  }

  /** Like `sum`, but 0 where there is no sample yet (a counter that never counted). */
  count(name: string, where: Readonly<Record<string, string>> = {}): number {
    return total(this.#find(name, where));
  }

  #find(name: string, where: Readonly<Record<string, string>>): Sample[] {
    return this.samples.filter(
      (sample) =>
        sample.name === name &&
        Object.entries(where).every(([key, value]) => sample.labels.get(key) === value),
    );
  }
}

function total(samples: readonly Sample[]): number {
  return samples.reduce((sum, sample) => sum + sample.value, 0);
}

// name{key="value",…} value
function parseLine(line: string): Sample[] {
  const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
  if (match === null) return [];
  const [, name = '', labelText = '', value] = match;
  const labels = new Map<string, string>();
  for (const [, key = '', text = ''] of labelText.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
    labels.set(key, text.replaceAll(/\\(.)/g, '$1'));
  }
  return [{ name, labels, value: Number(value) }];
}

/** `base` is the metrics address, e.g. http://127.0.0.1:8888. */
export async function fetchMetrics(base: string): Promise<MetricsPage> {
  const answer = await call(`${base}/metrics`);
  if (answer.status !== 200) throw new Error(`expected 200 from /metrics, got ${answer.status}`);
  return new MetricsPage(answer.body.toString());
}
