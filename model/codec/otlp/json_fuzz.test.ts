// Broken OTLP/JSON, always the same; json_fuzz.slow.test.ts has a million new ones.

import { testMutations } from './testing/fuzz_suite.ts';
import { jsonTarget } from './testing/json_fuzz.ts';
import { loadTranscoder } from './transcoder.ts';

testMutations({ 'OTLP/JSON': jsonTarget(await loadTranscoder()) }, 20_000);
