// Some seconds of broken batches, always the same; fuzz.slow.test.ts has a million new ones each.

import { testMutations } from '../otlp/testing/fuzz_suite.ts';
import { loadTranscoder } from '../otlp/transcoder.ts';
import { jaegerTargets } from './testing/fuzz.ts';

testMutations(jaegerTargets(await loadTranscoder()), 6000);
