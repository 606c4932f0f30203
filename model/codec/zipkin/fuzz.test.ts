// Some seconds of mutated requests, always the same; fuzz.slow.test.ts has a million new ones each.

import { testMutations } from '../otlp/testing/fuzz_suite.ts';
import { loadTranscoder } from '../otlp/transcoder.ts';
import { zipkinTargets } from './testing/fuzz.ts';

testMutations(zipkinTargets(await loadTranscoder()), 10_000);
