// A million broken requests in OTLP/JSON, a new seed each time.

import { testMillions } from './testing/fuzz_suite.ts';
import { jsonTarget } from './testing/json_fuzz.ts';
import { loadTranscoder } from './transcoder.ts';

testMillions({ 'OTLP/JSON': jsonTarget(await loadTranscoder()) });
