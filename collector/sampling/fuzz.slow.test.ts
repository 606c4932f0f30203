// A million broken strategy files, a new seed each time.

import { testMillions } from '../../model/codec/otlp/testing/fuzz_suite.ts';
import { strategiesTarget } from './testing/fuzz.ts';

testMillions({ 'sampling strategies': strategiesTarget });
