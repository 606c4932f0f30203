// One test a variant, on one Spanhouse; the SDK is installed first, or the test says why it cannot.
import { type TestContext, test } from 'node:test';
import { Spanhouse } from '../harness/spanhouse.ts';
import { haveToolchain } from '../harness/toolchain.ts';
import { install, type Step } from './installation.ts';
import { checkSdk, nameOf, type Variant } from './sdk_check.ts';

export interface Sdk {
  readonly language: string;
  /** Commands that must run for the toolchain to count as present. */
  readonly toolchain: readonly Step[];
  readonly install: readonly Step[];
  /** The command that runs the program installed in `directory`. */
  readonly program: (directory: string) => Step;
  readonly variants: readonly Variant[];
}

export function testSdk(sdk: Sdk): void {
  test(`OpenTelemetry ${sdk.language}`, async (t: TestContext) => {
    if (!sdk.toolchain.every(([command, ...args]) => haveToolchain(t, command, args))) return;
    const directory = await install(sdk.language, sdk.install);
    const spanhouse = await Spanhouse.start();
    try {
      for (const variant of sdk.variants) {
        await t.test(`shows every attribute that it sent by ${nameOf(variant)}`, () =>
          checkSdk(spanhouse, sdk.program(directory), variant),
        );
      }
      await spanhouse.stop();
    } finally {
      await spanhouse.remove();
    }
  });
}
