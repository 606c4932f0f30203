// One test a tracer, on one Spanhouse; what passed is kept for docs/COMPATIBILITY.md.
import { type TestContext, test } from 'node:test';
import { freePorts } from '../harness/ports.ts';
import { choosePorts, Spanhouse } from '../harness/spanhouse.ts';
import { haveToolchain } from '../harness/toolchain.ts';
import { install, type Step } from '../otel/installation.ts';
import { checkTracer } from './check_tracer.ts';
import { keepResults, type Result } from './results.ts';
import type { Door, Variant } from './tracer.ts';

export interface Language {
  /** As the table shows it. */
  readonly name: string;
  /** The folder beside this file, and its name in the cache. */
  readonly folder: string;
  readonly toolchain: readonly Step[];
  readonly install: readonly Step[];
  readonly program: (directory: string, variant: Variant) => Step;
  readonly variants: readonly Variant[];
}

export function testTracers(language: Language): void {
  test(`tracers for ${language.name}`, async (t: TestContext) => {
    if (!language.toolchain.every(([command, ...args]) => haveToolchain(t, command, args))) return;
    const directory = await install(`../compatibility/${language.folder}`, language.install);
    const [http = 0, compact = 0, binary = 0] = await freePorts(3);
    const spanhouse = await Spanhouse.start({
      ports: await choosePorts(),
      flags: [
        `--listen-jaeger-http=${http}`,
        `--listen-jaeger-compact=${compact}`,
        `--listen-jaeger-binary=${binary}`,
      ],
    });
    const doors: Readonly<Record<Door, string>> = {
      zipkin: spanhouse.zipkin,
      'jaeger-http': `http://localhost:${http}`,
      'jaeger-compact': `127.0.0.1:${compact}`,
      'jaeger-binary': `127.0.0.1:${binary}`,
    };
    const results: Result[] = [];
    try {
      for (const variant of language.variants) {
        await t.test(`${variant.tracer}, ${variant.sends}`, async () => {
          const program = language.program(directory, variant);
          const shown = await checkTracer(spanhouse.query, program, variant, doors[variant.door]);
          const { tracer, sends } = variant;
          results.push({ language: language.name, tracer, sends, shown });
        });
      }
      await spanhouse.stop();
    } finally {
      await spanhouse.remove();
    }
    keepResults(language.folder, results);
  });
}
