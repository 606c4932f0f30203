// A million mutated requests of each format, a new seed each time.

import { testMillions } from '../otlp/testing/fuzz_suite.ts';
import { loadTranscoder } from '../otlp/transcoder.ts';
import { zipkinTargets } from './testing/fuzz.ts';

testMillions(zipkinTargets(await loadTranscoder()));
