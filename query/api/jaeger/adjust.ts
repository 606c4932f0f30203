// What Jaeger changes in a span before it shows it (jaeger.md §2.6, steps 5 and 6): addresses sent
// as numbers, and what a library says of itself on a span instead of on the resource.

import type { Attribute, Resource, Span, Value } from '../../../model/span.ts';
import type { AssembledSpan } from '../../../model/trace/assemble.ts';

const ADDRESS_KEYS: ReadonlySet<string> = new Set(['ip', 'peer.ipv4']);
const LIBRARY_KEYS: ReadonlySet<string> = new Set([
  'telemetry.sdk.language',
  'telemetry.sdk.name',
  'telemetry.sdk.version',
  'telemetry.distro.name',
  'telemetry.distro.version',
]);

/** One for each trace, as it keeps the resources that it had to make. */
export class Adjuster {
  readonly #normal = new Map<Resource, Resource>();
  readonly #moved = new Map<Resource, Map<string, Resource>>();

  adjust(assembled: AssembledSpan): AssembledSpan {
    const attributes = normalAttributes(assembled.span.attributes);
    const resource = this.#normalResource(assembled.span.resource);
    const span = { ...assembled.span, attributes, resource };
    if (!attributes.some(({ key }) => LIBRARY_KEYS.has(key))) {
      const isSame =
        attributes === assembled.span.attributes && resource === assembled.span.resource;
      return isSame ? assembled : { span, warnings: assembled.warnings };
    }
    return this.#move(span, assembled.warnings);
  }

  #normalResource(resource: Resource): Resource {
    const known = this.#normal.get(resource);
    if (known !== undefined) return known;
    const attributes = normalAttributes(resource.attributes);
    const normal = attributes === resource.attributes ? resource : { ...resource, attributes };
    this.#normal.set(resource, normal);
    return normal;
  }

  /** To the resource of this span, unless that says something else; which is then told. */
  #move(span: Span, before: readonly string[]): AssembledSpan {
    const warnings = [...before];
    const kept: Attribute[] = [];
    const moved: Attribute[] = [];
    for (const attribute of span.attributes) {
      const { key, value } = attribute;
      if (!LIBRARY_KEYS.has(key)) kept.push(attribute);
      else {
        const there = span.resource.attributes.find((other) => other.key === key);
        if (there === undefined) moved.push(attribute);
        else if (!isSameValue(there.value, value)) {
          kept.push(attribute);
          warnings.push(`conflicting values between Span and Resource for attribute ${key}`);
        }
      }
    }
    const resource = moved.length === 0 ? span.resource : this.#extended(span.resource, moved);
    return { span: { ...span, attributes: kept, resource }, warnings };
  }

  /** Spans that move the same share one process. */
  #extended(resource: Resource, moved: readonly Attribute[]): Resource {
    const text = moved.map(({ key, value }) => `${key}=${textOf(value)}`).join('\n');
    const known = this.#moved.get(resource) ?? new Map<string, Resource>();
    this.#moved.set(resource, known);
    const extended = known.get(text) ?? {
      ...resource,
      attributes: [...resource.attributes, ...moved],
    };
    known.set(text, extended);
    return extended;
  }
}

function normalAttributes(attributes: readonly Attribute[]): readonly Attribute[] {
  const isNumeric = ({ key, value }: Attribute): boolean =>
    ADDRESS_KEYS.has(key) && (value.type === 'int' || value.type === 'double');
  if (!attributes.some(isNumeric)) return attributes;
  return attributes.map((attribute) => {
    const { key, value } = attribute;
    if (!isNumeric(attribute)) return attribute;
    return { key, value: { type: 'string', value: dotted(Number((value as Number64).value)) } };
  });
}

type Number64 = Extract<Value, { type: 'int' | 'double' }>;

/** The low 32 bits, highest byte first; signed as the old clients sent them, or not. */
function dotted(number: number): string {
  const bits = number >>> 0;
  return [bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255].join('.');
}

function isSameValue(a: Value, b: Value): boolean {
  return a.type === b.type && textOf(a) === textOf(b);
}

function textOf(value: Value): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}` : one));
}
