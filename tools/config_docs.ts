// npm run docs: writes docs/CONFIGURATION.md from the schema.

import { writeFileSync } from 'node:fs';
import { configurationPage } from '../service/config_help.ts';

writeFileSync(new URL('../docs/CONFIGURATION.md', import.meta.url), configurationPage());
