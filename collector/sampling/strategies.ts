// Sampling strategies as Jaeger's static provider has them (jaeger.md §1.9): how much of a service's
// traces its client should keep. Read from YAML, of which JSON is a part; a mistake names its line.

import { isScalar, LineCounter, parseDocument } from 'yaml';

export interface OperationStrategy {
  readonly operation: string;
  /** 0 to 1. */
  readonly probability: number;
}

export interface PerOperation {
  readonly defaultProbability: number;
  readonly lowerBoundPerSecond: number;
  readonly upperBoundPerSecond: number;
  readonly operations: readonly OperationStrategy[];
}

export type Strategy = { readonly perOperation?: PerOperation } & (
  | { readonly type: 'probabilistic'; readonly probability: number }
  | { readonly type: 'ratelimiting'; readonly perSecond: number }
);

export interface Strategies {
  readonly fallback: Strategy;
  readonly services: ReadonlyMap<string, Strategy>;
  /** Sentences about what was left out, as Jaeger does. */
  readonly warnings: readonly string[];
}

/** A mistake in the file: what was expected, what to do, and the line. */
export class StrategyError extends Error {
  override readonly name = 'StrategyError';
}

/** Deeper or longer than any real file: aliases in YAML can otherwise multiply. */
const ALIASES_MAX = 100;

/** `probability` is for services that the file says nothing about, when it has no default. */
export function parseStrategies(text: string, probability: number): Strategies {
  return new Parser(text, probability).strategies();
}

export function defaultStrategies(probability: number): Strategies {
  return { fallback: { type: 'probabilistic', probability }, services: new Map(), warnings: [] };
}

type Path = readonly (string | number)[];

type Fields = Readonly<Record<string, unknown>>;

const OPERATION_KEYS = ['operation', 'type', 'param'];
const STRATEGY_KEYS = ['type', 'param', 'operation_strategies'].concat([
  'default_lower_bound_traces_per_second',
  'default_upper_bound_traces_per_second',
]);

class Parser {
  readonly #lines = new LineCounter();
  readonly #document;
  readonly #probability: number;
  readonly #warnings: string[] = [];

  constructor(text: string, probability: number) {
    this.#probability = probability;
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      // Its warnings would go to stderr past the log, with parts of the file in them.
      logLevel: 'error',
    });
    const [error] = this.#document.errors;
    if (error === undefined) return;
    const { line } = this.#lines.linePos(error.pos[0]);
    throw new StrategyError(`line ${line}: YAML or JSON was expected, but ${error.code}`);
  }

  strategies(): Strategies {
    const root = this.#fields(this.#toJs() ?? {}, [], ['default_strategy', 'service_strategies']);
    const stated = root['default_strategy'];
    const fallback: Strategy =
      stated === undefined || stated === null
        ? { type: 'probabilistic', probability: this.#probability }
        : this.#strategy(stated, ['default_strategy'], STRATEGY_KEYS);
    const services = new Map<string, Strategy>();
    const list = this.#list(root['service_strategies'], ['service_strategies']);
    for (const [i, item] of list.entries()) {
      const path = ['service_strategies', i];
      const strategy = this.#strategy(item, path, ['service', ...STRATEGY_KEYS]);
      const service = this.#text((item as Fields)['service'], [...path, 'service']);
      if (services.has(service)) throw this.#mistake([...path, 'service'], 'a service only once');
      services.set(service, merged(strategy, fallback));
    }
    return { fallback, services, warnings: this.#warnings };
  }

  #toJs(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: ALIASES_MAX });
    } catch {
      throw new StrategyError(`line 1: at most ${ALIASES_MAX} uses of aliases were expected`);
    }
  }

  #strategy(raw: unknown, path: Path, keys: readonly string[]): Strategy {
    const fields = this.#fields(raw, path, keys);
    const strategy = this.#typeAndParam(fields, path);
    const list = this.#list(fields['operation_strategies'], [...path, 'operation_strategies']);
    if (list.length === 0) return strategy;
    const operations = list.flatMap((item, i) =>
      this.#operation(item, [...path, 'operation_strategies', i]),
    );
    const bound = (which: string): number => {
      const key = `default_${which}_bound_traces_per_second`;
      return this.#number(fields[key] ?? 0, [...path, key], Number.MAX_SAFE_INTEGER);
    };
    const perOperation = {
      defaultProbability:
        strategy.type === 'probabilistic' ? strategy.probability : this.#probability,
      lowerBoundPerSecond: bound('lower'),
      upperBoundPerSecond: bound('upper'),
      operations,
    };
    return { ...strategy, perOperation };
  }

  #operation(raw: unknown, path: Path): readonly OperationStrategy[] {
    const fields = this.#fields(raw, path, OPERATION_KEYS);
    const operation = this.#text(fields['operation'], [...path, 'operation']);
    const strategy = this.#typeAndParam(fields, path);
    if (strategy.type === 'probabilistic') {
      return [{ operation, probability: strategy.probability }];
    }
    this.#warnings.push(
      `line ${this.#line(path)}: an operation cannot be ratelimiting; its strategy is left out`,
    );
    return [];
  }

  #typeAndParam(fields: Fields, path: Path): Strategy {
    const param = [...path, 'param'];
    switch (fields['type']) {
      case 'probabilistic':
        return { type: 'probabilistic', probability: this.#number(fields['param'], param, 1) };
      case 'ratelimiting': {
        const perSecond = Math.trunc(this.#number(fields['param'], param, 2 ** 31 - 1));
        return { type: 'ratelimiting', perSecond };
      }
      default:
        throw this.#mistake([...path, 'type'], 'probabilistic or ratelimiting');
    }
  }

  #fields(raw: unknown, path: Path, keys: readonly string[]): Fields {
    if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) {
      throw this.#mistake(path, `an object with ${keys.join(', ')}`);
    }
    for (const key of Object.keys(raw)) {
      if (!keys.includes(key)) throw this.#mistake([...path, key], `one of ${keys.join(', ')}`);
    }
    return raw as Fields;
  }

  #list(raw: unknown, path: Path): readonly unknown[] {
    if (raw === undefined || raw === null) return [];
    if (!Array.isArray(raw)) throw this.#mistake(path, 'a list');
    return raw;
  }

  #number(raw: unknown, path: Path, max: number): number {
    if (typeof raw === 'number' && raw >= 0 && raw <= max) return raw;
    throw this.#mistake(path, `a number from 0 to ${max}`);
  }

  #text(raw: unknown, path: Path): string {
    if (typeof raw === 'string' && raw !== '') return raw;
    throw this.#mistake(path, 'a name');
  }

  #mistake(path: Path, expected: string): StrategyError {
    const where = path.length === 0 ? 'the file' : path.map(nameable).join('.');
    return new StrategyError(`line ${this.#line(path)}: ${where}: ${expected} was expected`);
  }

  /** Of the node itself, or, when it is missing, of what should hold it. */
  #line(path: Path): number {
    for (let length = path.length; length >= 0; length--) {
      const node: unknown = this.#document.getIn(path.slice(0, length), true);
      const range = isScalar(node) || hasRange(node) ? node.range : undefined;
      if (range !== undefined && range !== null) return this.#lines.linePos(range[0] ?? 0).line;
    }
    return 1;
  }
}

/** Keys are the file's: one that no setting could have is not repeated into a log or a terminal. */
function nameable(key: string | number): string | number {
  return typeof key === 'number' || /^[\w.-]{1,64}$/.test(key) ? key : 'a key of other characters';
}

function hasRange(node: unknown): node is { readonly range?: readonly number[] | null } {
  return typeof node === 'object' && node !== null && 'range' in node;
}

/** The default's operations serve every service too, unless it has its own for them. */
function merged(strategy: Strategy, fallback: Strategy): Strategy {
  const shared = fallback.perOperation;
  if (shared === undefined) return strategy;
  const own = strategy.perOperation;
  if (own === undefined) {
    if (strategy.type !== 'probabilistic') return strategy;
    const perOperation = { ...shared, defaultProbability: strategy.probability };
    return { ...strategy, perOperation };
  }
  const named = new Set(own.operations.map(({ operation }) => operation));
  const others = shared.operations.filter(({ operation }) => !named.has(operation));
  return { ...strategy, perOperation: { ...own, operations: [...own.operations, ...others] } };
}
