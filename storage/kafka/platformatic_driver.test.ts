import { openPlatformatic } from './platformatic_driver.ts';
import { publisherContract } from './publisher_contract.ts';

publisherContract('platformatic', openPlatformatic);
