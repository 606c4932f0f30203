// The long form of kill.test.ts, for a night: rarer moments get their turn.
import { test } from 'node:test';
import { killUnderLoad } from './kill_under_load.ts';

const KILLS = 200;

test(`${KILLS} times kill -9 under load loses nothing acknowledged and shows nothing twice`, (t) =>
  killUnderLoad(t, KILLS));
