// Broken strategy files out of good ones: operators write them, but a URL may serve them too.

import { type FuzzTarget, jsonMutator } from '../../../model/codec/otlp/testing/fuzz_decoder.ts';
import { parseStrategies, StrategyError } from '../strategies.ts';

const SEEDS = [
  '{"default_strategy":{"type":"probabilistic","param":0.5,"operation_strategies":[' +
    '{"operation":"/health","type":"probabilistic","param":0}]}}',
  '{"service_strategies":[{"service":"foo","type":"ratelimiting","param":5,' +
    '"operation_strategies":[{"operation":"op1","type":"probabilistic","param":0.2}]}],' +
    '"default_strategy":{"type":"ratelimiting","param":1}}',
  'default_strategy: {type: probabilistic, param: 1}\nservice_strategies:\n' +
    '  - service: shop\n    type: probabilistic\n    param: 0.1\n' +
    '    default_lower_bound_traces_per_second: 2\n',
  'a: &a [1, 2]\nservice_strategies: *a\n',
  '',
];

const WORDS = ['&a ', '*a', '<<: *a', '- ', '? ', '!!map ', '!!js/function ', '%YAML 1.2\n---\n']
  .concat(['"type":"ratelimiting",', '"param":-1,', '.nan', '.inf', '0x10', '|\n', '>-\n', '  '])
  .concat(['\n', '\t', '# ', "'", '~', '2026-11-23', '[[[[[[[[[[[[[[[[', '{{{{{{{{{{{{{{{{']);

export const strategiesTarget: FuzzTarget = {
  seeds: SEEDS.map((text) => new Uint8Array(Buffer.from(text))),
  mutate: jsonMutator(WORDS),
  decode: (bytes) => {
    try {
      parseStrategies(Buffer.from(bytes).toString(), 0.001);
      return true;
    } catch (error) {
      if (error instanceof StrategyError && /^line \d+: ./.test(error.message)) return false;
      throw error;
    }
  },
};
