// Broken strategy files, always the same; fuzz.slow.test.ts has a million new ones.

import { testMutations } from '../../model/codec/otlp/testing/fuzz_suite.ts';
import { strategiesTarget } from './testing/fuzz.ts';

testMutations({ 'sampling strategies': strategiesTarget }, 5000);
