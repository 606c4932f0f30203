import { openKafkajs } from './kafkajs_driver.ts';
import { publisherContract } from './publisher_contract.ts';

publisherContract('kafkajs', openKafkajs);
