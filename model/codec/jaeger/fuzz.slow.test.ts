// A million broken batches for each decoder, a new seed each time.

import { testMillions } from '../otlp/testing/fuzz_suite.ts';
import { loadTranscoder } from '../otlp/transcoder.ts';
import { jaegerTargets } from './testing/fuzz.ts';

testMillions(jaegerTargets(await loadTranscoder()));
